#include "dial.h"

#include <stdlib.h>

struct tone {
    int pitch;
};

struct dial {
    const tone *tone;
    const char *label;
};

static const tone *installed;
static const char *all = "";

tone *tone_new(int pitch) {
    tone *made = malloc(sizeof *made);
    made->pitch = pitch;
    return made;
}

void tone_free(tone *t) {
    t->pitch = -1;
    free(t);
}

int tone_pitch(const tone *t) { return t->pitch; }

dial *dial_new(void) { return dial_new_with(0); }

dial *dial_new_with(const tone *t) {
    dial *made = calloc(1, sizeof *made);
    made->tone = t;
    return made;
}

void dial_free(dial *d) { free(d); }

int dial_set_tone(dial *d, const tone *t) {
    d->tone = t;
    return 0;
}

int dial_follow(dial *d, tone *t) { return dial_set_tone(d, t); }

int dial_attach(dial *d, tone *t) { return dial_set_tone(d, t); }

int dial_compare_with(dial *d, const tone *t) { return d->tone ? t->pitch - d->tone->pitch : t->pitch; }

int dial_ring(const dial *d) {
    const tone *rings = d->tone ? d->tone : installed;
    return rings ? rings->pitch : 0;
}

int dial_install(const tone *t) {
    installed = t;
    return 0;
}

int dial_set_label(dial *d, const char *label) {
    if (d) {
        d->label = label;
    } else {
        all = label;
    }
    return 0;
}

const char *dial_label(const dial *d) { return d->label ? d->label : all; }
