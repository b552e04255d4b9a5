#ifndef CONSTANTS_H
#define CONSTANTS_H


#define INT 42
#define NEGATIVE (-7)
#define HEX 0xffu
#define BIG 0x8000000000000000ull
#define MAX_SIGNED 9223372036854775807
#define SHIFT (1 << INT_OF_MORE)
#define CHARACTER 'a'
#define SIZE sizeof(char[12])
#define BOOLEAN ((_Bool)1)
#define BYTE ((unsigned char)200)
#define FLOAT 1.5f
#define DOUBLE -2.5e10
#define TEXT "text with \"quotes\", a ; and a {"
#define JOINED "one " TEXT_OF_MORE
#define UTF8 "gr\xc3\xbc\xc3\x9f"
#define FROM_ENUM (SECOND | 4)
#define ALIAS INT
#define COMMENTED /* before */ 5 // behind; all of it
#define CONTINUED (1 + \
                   2)

/* No constants. */
#define EMPTY
#define POINTER ((void *)-1)
#define NOTHING ((void *)0)
#define TYPE unsigned long
#define VARIABLE global
#define CALL function()
#define STATEMENT do { } while (0)
#define BRACES { 1, 2 }
#define OPENING {
#define UNBALANCED (1
#define TWO 1, 2
#define CUT "before\0behind"
#define WIDE L"wide"
#define LONG_DOUBLE 1.0L
#define WIDER ((__int128)1 << 100)
#define ATTRIBUTE __attribute__((unused))
#define HERE __LINE__
#define NOT_UTF8 "\xff"
#define GONE 1
#undef GONE
#define AGAIN 1
#undef AGAIN
#define AGAIN 2

#define SQUARE(x) ((x) * (x))
#define LOG(format, ...) printf(format, __VA_ARGS__)
#define NO_PARAMETERS() 1

extern int global;
int function(void);
enum order { FIRST, SECOND, LARGE = 0xffffffff };
struct holder {
    enum { INSIDE = -3 } kind;
};

#endif
