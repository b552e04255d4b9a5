#define M(a\
b) 1
#define N(\u00e9, a) 1
int plain(int a);
