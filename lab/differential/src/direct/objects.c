/* The objects of a case: what each number stands for, and what is left of it. */

struct dt_object {
    void *pointer;
    int type;
    int parent; /* a number, or -1 */
    int owned;
    int alive;
    void *image; /* of a resident structure: its fields as the caller knows them */
    int lent;    /* for the time of a callback */
};

static struct dt_object dt_objects[DT_OBJECTS];

/* The first number of the object that a number stands for. */
static int dt_first(int number)
{
    for (int i = 0; number >= 0 && i < number; i++) {
        struct dt_object *it = &dt_objects[i];
        if (it->alive && it->pointer == dt_objects[number].pointer && it->type == dt_objects[number].type) {
            return i;
        }
    }
    return number;
}

static int dt_below(int number, int ancestor)
{
    for (int at = dt_objects[number].parent; at >= 0; at = dt_objects[at].parent) {
        if (dt_first(at) == dt_first(ancestor)) {
            return 1;
        }
    }
    return 0;
}

/* Ends an object, under all its numbers, and what was made or lent from it. */
static void dt_end(int number)
{
    struct dt_object it = dt_objects[number];
    for (int i = 0; i < DT_OBJECTS; i++) {
        if (dt_objects[i].alive && dt_below(i, number)) {
            dt_objects[i].alive = 2;
        }
    }
    for (int i = 0; i < DT_OBJECTS; i++) {
        struct dt_object *other = &dt_objects[i];
        if (other->alive == 2 || other->alive && other->pointer == it.pointer && other->type == it.type) {
            other->alive = 0;
        }
    }
}

/* Ends what was lent from an object. */
static void dt_invalidate(int number)
{
    for (int i = 0; number >= 0 && i < DT_OBJECTS; i++) {
        struct dt_object *it = &dt_objects[i];
        if (it->alive && !it->owned && it->parent >= 0 && dt_first(it->parent) == dt_first(number)) {
            dt_end(i);
        }
    }
}

static void dt_enter(int number, int type, void *pointer, int parent, int owned)
{
    dt_objects[number] = (struct dt_object){pointer, type, parent, owned, 1, NULL, 0};
}

/* Gives an object a number. Returns the first number of one that is known already. */
static int dt_meet(int number, int type, void *pointer, int parent, int owned)
{
    int known = -1;
    for (int i = 0; i < DT_OBJECTS && known < 0; i++) {
        if (dt_objects[i].alive && dt_objects[i].pointer == pointer && dt_objects[i].type == type) {
            known = i;
        }
    }
    if (known >= 0 && owned) {
        dt_end(known);
        known = -1;
    }
    if (known >= 0) {
        dt_objects[number] = dt_objects[known];
    } else {
        dt_enter(number, type, pointer, parent, owned);
    }
    return known >= 0 ? known : number;
}

/* Writes the number of an object that the library hands out. */
static void dt_hand_out(int number, int type, const void *object, int parent, int owned)
{
    if (object == NULL) {
        dt_put("null");
        return;
    }
    int first = dt_meet(number, type, (void *)object, parent, owned);
    dt_put("{\"object\":");
    dt_put_signed(first);
    dt_put("}");
}

/* An object that a callback gets. */
static void dt_lend(int number, int type, const void *object)
{
    dt_objects[number] = (struct dt_object){0};
    if (object != NULL && dt_meet(number, type, (void *)object, -1, 0) == number) {
        dt_objects[number].lent = 1;
    }
}

/* Writes the number of an object that a callback got. */
static void dt_told_object(int number)
{
    if (dt_objects[number].pointer == NULL) {
        dt_put("null");
        return;
    }
    dt_put("{\"object\":");
    dt_put_signed(dt_first(number));
    dt_put("}");
}

/* The callback returns: what it was lent cannot be used any more. */
static void dt_take_back(int number)
{
    if (dt_objects[number].lent) {
        dt_end(number);
    }
    dt_objects[number].alive = 0;
}

/* Whether an argument is there to be passed. */
static int dt_usable(int number)
{
    if (dt_objects[number].pointer == NULL) {
        dt_say("absent", "");
        return 0;
    }
    if (!dt_objects[number].alive) {
        dt_say("stale", "");
        return 0;
    }
    return 1;
}

/* Whether an object may be given away: only by its owner, and not before what was made from it. */
static int dt_givable(int number)
{
    int refused = !dt_objects[dt_first(number)].owned;
    for (int i = 0; i < DT_OBJECTS; i++) {
        refused |= dt_objects[i].alive && dt_objects[i].owned && dt_below(i, number);
    }
    if (refused) {
        dt_say("refused", "");
    }
    return !refused;
}

/* Whether an object is another one, or ends with it. */
static int dt_goes_with(int number, int other)
{
    return dt_first(number) == dt_first(other) || dt_below(number, other);
}

static void dt_forget(void)
{
    memset(dt_objects, 0, sizeof dt_objects);
}

/* What the library told the application's functions during a call. */
static char dt_user;
static int dt_told;

static void dt_tell(void)
{
    dt_put(dt_told++ == 0 ? "{\"calls\":[[" : ",[");
}

/* The calls that an application's function makes are told like those of a case, each with its name. */
static int dt_begin_calls(void)
{
    int told = dt_told;
    dt_told = 0;
    dt_depth++;
    return told;
}

static void dt_end_calls(int told)
{
    dt_told = told;
    dt_depth--;
}

static void dt_told_all(void)
{
    if (dt_told > 0) {
        dt_put("],\"then\":");
    }
}

static void dt_close(void)
{
    if (dt_told > 0) {
        dt_put("}");
    }
    dt_told = 0;
    dt_done();
}
