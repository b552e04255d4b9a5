#include <string.h>
#include "unions.h"

long value_hash(const struct value *value)
{
    long sum = value->kind * 1000000L + value->after;
    switch (value->kind) {
    case KIND_NUMBER: return sum + value->is.number % 1000;
    case KIND_REAL: return sum + (value->is.real > 1e6 ? 7 : value->is.real < -1e6 ? 8 : (long)(value->is.real * 8));
    case KIND_PLACE: case KIND_SPOT: return sum + value->is.at.x % 1000;
    case KIND_NAME: return sum + 10 * (long)strlen(value->is.name);
    case KIND_WORD: return sum + (value->is.word == NULL ? -1 : 100 * (long)strlen(value->is.word));
    case KIND_COLOR: return sum + value->is.color[0] + 2 * value->is.color[1] + 3 * value->is.color[2];
    default: return sum;
    }
}
struct value value_make(int kind)
{
    struct value value;
    memset(&value, 'x', sizeof value);
    value.kind = (enum kind)(kind & 15);
    value.after = -7;
    switch (value.kind) {
    case KIND_NUMBER: value.is.number = 42; break;
    case KIND_REAL: value.is.real = 0.125; break;
    case KIND_PLACE: case KIND_SPOT: value.is.at = (struct point){kind, 2.5}; break;
    case KIND_NAME: memcpy(value.is.name, "twelve chars", 12); break;
    case KIND_WORD: value.is.word = "Gr\xc3\xb6\xc3\x9f" "e"; break;
    case KIND_COLOR: memcpy(value.is.color, "\1\2\377", 3); break;
    default: break;
    }
    return value;
}
int value_turn(struct value *value)
{
    int kind = value->kind;
    short after = value->after;
    *value = value_make(kind == KIND_SECRET ? 0 : kind + 1);
    value->after = after;
    return kind;
}
long values_hash(const struct value *values, int count)
{
    long sum = count;
    for (int i = 0; i < count; i++) sum = 3 * (sum % 100000) + value_hash(&values[i]);
    return sum;
}
int values_fill(struct value *values, int count)
{
    int made = count > 9 ? 9 : count;
    for (int i = 0; i < made; i++) values[i] = value_make(i);
    return made;
}
long pair_hash(struct pair pair) { return 2 * value_hash(&pair.left) - value_hash(&pair.right); }

long packet_hash(struct packet packet)
{
    long sum = packet.version + 16L * packet.type + 256L * packet.length + packet.hops + packet.end;
    if (packet.type == 1) return sum + (long)(packet.big % 1000);
    if (packet.type == 2) { struct point at; memcpy(&at, (char *)&packet + 4, sizeof at); return sum + at.x % 1000; }
    if (packet.type == 9) { float w[2]; memcpy(w, (char *)&packet + 4, sizeof w); return sum + (w[0] > w[1]); }
    return sum;
}
struct packet packet_make(int type)
{
    struct packet packet = {.version = 15, .type = (unsigned char)(type & 15), .length = -300, .hops = 255, .end = 'e'};
    if (packet.type == 1) packet.big = -5000000000LL;
    if (packet.type == 2) packet.at = (struct point){77, -0.5};
    if (packet.type == 9) { packet.weights[0] = 0.5f; packet.weights[1] = -1.5f; }
    return packet;
}
int packet_turn(struct packet *packet)
{
    int type = packet->type;
    *packet = packet_make(type == 1 ? 2 : type == 2 ? 9 : 1);
    return type;
}

unsigned long long events_sum(const struct event *events, int count)
{
    unsigned long long sum = 0;
    for (int i = 0; i < count; i++) sum = 3 * sum + events[i].data.u64 + events[i].events;
    return sum;
}
int events_wait(struct event *events, int most)
{
    int made = most > 3 ? 3 : most;
    for (int i = 0; i < made; i++) events[i] = (struct event){(unsigned char)i, {.u64 = 0x100000000ULL * (unsigned)i + 5}};
    return made;
}
long late_hash(struct late late)
{
    return late.first + 10 * late.what + (late.what == -1 ? late.data.fd % 1000 : late.what == 3 ? (long)late.data.u32 % 1000 : 0);
}
struct late late_make(int what)
{
    struct late late = {'f', {.u64 = 0}, (signed char)what};
    if (late.what == -1) late.data.fd = -12;
    if (late.what == 3) late.data.u32 = 4000000000u;
    return late;
}
