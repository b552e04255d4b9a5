/* Runs the cases of one group, from one of them on. */
int main(int count, char **words)
{
    if (count != 6) {
        return 123;
    }
    const struct dt_group *group = &dt_groups[atoi(words[1])];
    int file = open(words[3], O_WRONLY | O_APPEND | O_CLOEXEC);
    /* Out of the way of functions that close what they find. */
    dt_report = fcntl(file, F_DUPFD_CLOEXEC, 900);
    close(file);
    umask(077);
    if (dt_report < 0 || chdir(words[5]) != 0) {
        return 124;
    }
    dt_init();
    if (atoi(words[4])) {
        dt_guard();
    }
    for (int number = atoi(words[2]); number < group->cases; number++) {
        dt_forget();
        for (dt_step *const *step = group->steps[number]; *step != NULL; step++) {
            (*step)();
        }
    }
    _exit(0);
}
