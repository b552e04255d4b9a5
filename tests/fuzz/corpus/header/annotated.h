int plain(int a);
__attribute__((annotate("two
lines"))) int noted(void);
__attribute__((annotate("two\nlines"))) int escaped(void);
