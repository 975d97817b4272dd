#include "faults/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_BYTES 4096

static int read_all(int fd, struct tel_buffer *out)
{
    char piece[PIECE_BYTES];
    for (;;) {
        ssize_t length = read(fd, piece, sizeof(piece));
        if (length == 0) {
            return 0;
        }
        if (length < 0 && errno != EINTR) {
            return -errno;
        }
        tel_buffer_append(out, piece, length > 0 ? (size_t)length : 0);
        if (out->error != 0) {
            return out->error;
        }
    }
}

int read_file(const char *path, struct tel_buffer *out)
{
    struct stat status;
    tel_buffer_clear(out);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return -errno;
    }
    int error = fstat(fd, &status) != 0 ? -errno : S_ISREG(status.st_mode) ? 0 : -EINVAL;
    if (error == 0) {
        error = read_all(fd, out);
    }
    close(fd);
    return error;
}

const char *read_file_error(int error)
{
    switch (error) {
    case -EMSGSIZE:
        return "it is too large";
    case -EINVAL:
        return "it is not a regular file";
    default:
        return strerror(-error);
    }
}
