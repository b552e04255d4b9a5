/* A library whose objects must not be used by two threads at once: it aborts when they are. */
#ifndef CLAN_H
#define CLAN_H

typedef struct clan clan;
/* A member belongs to its clan: who uses it uses that. */
typedef struct clan_member clan_member;
/* A pen is used by the thread that made it, and so is a cap, which belongs to its pen. */
typedef struct clan_pen clan_pen;
typedef struct clan_cap clan_cap;

clan *clan_new(void);
void clan_free(clan *of);
clan_member *clan_member_new(clan *of, int number);
void clan_member_free(clan_member *member);
int clan_member_number(clan_member *member);

/* Uses a clan for a moment; how often that was done. */
int clan_use(clan *of);
/* Uses two. */
int clan_use_both(clan *one, clan *other);
/* Uses all of these, of which each is another. */
int clan_use_all(clan **all, int count);
/* Waits in the clan until so many threads do, in whatever clans; 0 then, -1 when so many milliseconds have passed before. */
int clan_meet(clan *of, int count, int patience);
int clan_member_meet(clan_member *member, int count, int patience);
/* Says that it is there, and stays in the clan until it is called off, or for so many milliseconds; 1 when it was. */
int clan_stay(clan *of, int longest);
/* How many stay. */
int clan_staying(void);
/* Calls off so many that stay. */
void clan_call_off(int count);
/* Stays likewise, and then uses a null pointer. */
int clan_die(clan *of, int longest);
/* Calls for each number below `count`; the sum of what comes back. */
int clan_each(clan *of, int count, int (*work)(int number, void *user), void *user);
/* Lends a member of its own. */
int clan_show(clan *of, int (*look)(clan_member *member, void *user), void *user);
/* The one that was made last. */
clan *clan_newest(void);
/* Keeps a function, until the clan goes. */
void clan_keep(clan *of, int (*work)(int number, void *user), void *user);
/* Calls what was kept last, in the clan. */
int clan_ring(clan *of, int number);
/* How many clans and members there are. */
int clan_count(void);

clan_pen *clan_pen_new(void);
void clan_pen_free(clan_pen *pen);
/* How often it has written. */
int clan_pen_write(clan_pen *pen);
int clan_pen_stay(clan_pen *pen, int longest);
int clan_pens_write(clan_pen *one, clan_pen *other);
clan_cap *clan_cap_new(clan_pen *pen);
void clan_cap_free(clan_cap *cap);
int clan_cap_use(clan_cap *cap);
/* How many pens and caps there are. */
int clan_pen_count(void);

#endif
