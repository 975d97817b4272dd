/* A program with both faults that memcheck is to find; that it finds them is checked first. */
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    volatile int *numbers = malloc(2 * sizeof(*numbers));
    numbers[0] = 1;
    puts(numbers[1] > 0 ? "never written" : "never written either");
    numbers = malloc(sizeof(*numbers)); /* the first block is lost */
    free((void *)numbers);
    return 0;
}
