int a​(int b‍);
struct s { int x​; };
int plain(struct s *p, __typeof__("text") *q);
enum e { A‮ = 1 };
struct t​ { int y; };
int other(struct t​ *p, __typeof__(({ 1; })) r);
