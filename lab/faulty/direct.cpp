/* What a host of C++ does: its functions throw, and the library that called them is never returned to. */
#define _Bool bool
extern "C" {
#include "direct.h"
#include "rows.h"
}

#include <cstdio>
#include <stdexcept>

static int throws(void *, int)
{
    throw std::runtime_error("the program's own failure");
}

void throw_through(void)
{
    for (int times = 0; times < 2; times++) {
        try {
            faulty_locked(throws, nullptr);
        } catch (const std::runtime_error &) {
            std::printf("caught\n");
            std::fflush(stdout);
        }
    }
}
