/*
 * What a process can find out about itself without asking anyone. Kubernetes tells a pod about
 * itself only through variables that its manifest fills from the downward API; the names read here
 * are the two that manifests use.
 *
 * A value that cannot be found, or is no usable attribute value, leaves its attribute out.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "telemetry/resource.h"
#include "telemetry/telemetry.h"

#define SDK_NAME "libtelemetry" /* `opentelemetry` is reserved for its own SDKs */

static const struct {
    const char *key;
    const char *variables[2];
} downward[] = {
    {"k8s.namespace.name", {"K8S_NAMESPACE_NAME", "POD_NAMESPACE"}},
    {"k8s.pod.name", {"K8S_POD_NAME", "POD_NAME"}},
    {"k8s.pod.uid", {"K8S_POD_UID", "POD_UID"}},
    {"k8s.node.name", {"K8S_NODE_NAME", "NODE_NAME"}},
    {"k8s.container.name", {"K8S_CONTAINER_NAME", NULL}},
    {"k8s.deployment.name", {"K8S_DEPLOYMENT_NAME", NULL}},
};

#define DOWNWARD (sizeof(downward) / sizeof(downward[0]))

/* Adds what is there; a value the resource refuses is as good as none. */
static int add_if_any(struct tel_resource *resource, const char *key, const char *value)
{
    if (value == NULL || value[0] == '\0') {
        return 0;
    }
    int error = tel_resource_add(resource, key, value);
    return error == -EINVAL ? 0 : error;
}

static int add_kubernetes(struct tel_resource *resource)
{
    int error = 0;
    for (size_t i = 0; i < DOWNWARD && error == 0; i++) {
        for (size_t k = 0; k < 2 && downward[i].variables[k] != NULL && error == 0; k++) {
            /* The first that is set wins: the second add finds the key taken. */
            error = add_if_any(resource, downward[i].key, getenv(downward[i].variables[k]));
        }
    }
    return error;
}

/* The file that runs, without its folder: `argv[0]` may say anything. */
static void get_executable(char *name, size_t size)
{
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (length <= 0) {
        snprintf(name, size, "%s", program_invocation_short_name);
        return;
    }
    path[length] = '\0';
    const char *slash = strrchr(path, '/');
    snprintf(name, size, "%.255s", slash != NULL ? slash + 1 : path); /* NAME_MAX */
}

/* A UUID of version 4 (RFC 9562, 5.4). */
static void make_uuid(char out[37])
{
    uint8_t bytes[16];
    tel__random_trace_id(bytes);
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    for (size_t i = 0, at = 0; i < sizeof(bytes); i++) {
        at += (size_t)snprintf(out + at, 37 - at,
                               i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", bytes[i]);
    }
}

int tel_resource_detect(struct tel_resource *resource)
{
    char host[256] = "";
    char pid[24];
    char executable[256];
    char fallback[300];
    char instance[37];
    if (gethostname(host, sizeof(host) - 1) != 0) {
        host[0] = '\0';
    }
    snprintf(pid, sizeof(pid), "%ld", (long)getpid());
    get_executable(executable, sizeof(executable));
    snprintf(fallback, sizeof(fallback), "unknown_service:%s", executable);
    make_uuid(instance);

    const struct tel_resource_attribute found[] = {
        {"service.name", fallback},
        {"service.instance.id", instance},
        {"telemetry.sdk.name", SDK_NAME},
        {"telemetry.sdk.language", "c"},
        {"telemetry.sdk.version", TEL_VERSION},
        {"host.name", host},
        {"process.pid", pid},
        {"process.executable.name", executable},
    };
    /* A list leaves room for these, and for eight of the program's own. */
    _Static_assert(sizeof(found) / sizeof(found[0]) + DOWNWARD + 8 <=
                       TEL_RESOURCE_ATTRIBUTES_MAX - TEL_RESOURCE_LIST_MAX,
                   "detection must not fail for want of room");
    int error = 0;
    for (size_t i = 0; i < sizeof(found) / sizeof(found[0]) && error == 0; i++) {
        error = add_if_any(resource, found[i].key, found[i].value);
    }
    return error != 0 ? error : add_kubernetes(resource);
}
