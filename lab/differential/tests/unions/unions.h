/* Unions in structures, as real libraries have them, and members without a name. */

enum kind { KIND_NONE, KIND_NUMBER, KIND_REAL, KIND_PLACE, KIND_SPOT, KIND_NAME, KIND_WORD, KIND_COLOR, KIND_SECRET };
struct point { int x; double y; };

/* A union that a field tells; two values stand for one member, and one member does not travel. */
struct value {
    enum kind kind;
    union { int number; double real; struct point at; char name[12]; const char *word; unsigned char color[3]; void *secret; } is;
    short after;
};
long value_hash(const struct value *value);
struct value value_make(int kind);
int value_turn(struct value *value);
long values_hash(const struct value *values, int count);
int values_fill(struct value *values, int count);

/* Two of them in one. */
struct pair { struct value left; struct value right; };
long pair_hash(struct pair pair);

/* A union without a name, told by a bit-field, behind a structure without one, in a packed structure. */
#pragma pack(push, 1)
struct packet {
    unsigned char version : 4, type : 4;
    struct { short length; unsigned char hops; };
    union { long long big; struct point at; float weights[2]; };
    char end;
};
#pragma pack(pop)
long packet_hash(struct packet packet);
struct packet packet_make(int type);
int packet_turn(struct packet *packet);

/* A union with a name of its own at an odd place, and the tag behind it. */
union data { void *pointer; int fd; unsigned u32; unsigned long long u64; };
#pragma pack(push, 1)
struct event { unsigned char events; union data data; };
struct late { char first; union data data; signed char what; };
#pragma pack(pop)
unsigned long long events_sum(const struct event *events, int count);
int events_wait(struct event *events, int most);
long late_hash(struct late late);
struct late late_make(int what);
