/* Labels of which a shelf notes only where they are. */
typedef struct shelf shelf;

shelf *shelf_new(void);
void shelf_free(shelf *shelf);

int shelf_count(const shelf *shelf);
int shelf_clear_to(shelf *shelf, int count);
const char *shelf_label(const shelf *shelf, int index);

int shelf_add(shelf *shelf, const char *label);
shelf *shelf_copy(shelf *shelf);
shelf *shelf_parse(const char *labels);
shelf *shelf_new_numbered(const int *numbers, int count);
int shelf_number(const shelf *shelf, int index);

char *shelf_title(shelf *shelf);
char *shelf_description(const shelf *shelf);
