int fine(void);
int broken(unknown_t a);
struct { int x };
int also broken;
