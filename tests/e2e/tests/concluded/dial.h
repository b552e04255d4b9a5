/* Dials that note the tone they are given, and say what it is when they ring. */
typedef struct tone tone;
typedef struct dial dial;

tone *tone_new(int pitch);
void tone_free(tone *t);
int tone_pitch(const tone *t);

dial *dial_new(void);
/* Keeps the tone. */
dial *dial_new_with(const tone *t);
void dial_free(dial *d);
int dial_set_tone(dial *d, const tone *t);
/* Both keep the tone, though they could change it. */
int dial_follow(dial *d, tone *t);
int dial_attach(dial *d, tone *t);
/* How much higher this tone is. */
int dial_compare_with(dial *d, const tone *t);
int dial_ring(const dial *d);

/* Keeps the tone of all dials without one. */
int dial_install(const tone *t);

/* Keeps the text; of no dial it is that of all without one. */
int dial_set_label(dial *d, const char *label);
const char *dial_label(const dial *d);
