struct known;
void takes_known(struct known *known);
void takes_odd(struct odd *odd);
struct made *makes(void);
void takes_made(struct made *made);
