/* The rows of the crash lab that need C++. See rows.h. */
#define _Bool bool
extern "C" {
#include "rows.h"
}

#include <cstddef>
#include <new>
#include <stdexcept>

int faulty_new_without_memory(void)
{
    volatile size_t bytes = (size_t)-1 >> 2;
    volatile char *block = new char[bytes];
    block[0] = 1;
    delete[] block;
    return 1;
}

int faulty_throw(void)
{
    throw std::runtime_error("the answer is not 42");
}

namespace {

struct Shape {
    Shape() { measure(); }
    virtual ~Shape() {}
    virtual int area() = 0;
    __attribute__((noinline)) void measure() { area(); }
};

struct Circle : Shape {
    int area() override { return 3; }
};

} // namespace

int faulty_pure_virtual(void)
{
    Shape *volatile shape = new Circle;
    int area = shape->area();
    delete shape;
    return area;
}
