#define C { "[0m" }
#define D { " " }
int plain(int a);
