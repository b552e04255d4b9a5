//! Functions that empty, or hand on, a part of what they are given, and those that do so with the whole.

use super::library::check;

#[test]
fn a_part_is_cleared_and_the_object_stays() {
    check(
        &["void reader_free(reader *r)", "reader *reader_new(void)"],
        &[
            ("void reader_clear_flags(reader *r, int flags)", "object value -> void"),
            ("int reader_swap_elements(reader *r, int i, int j)", "object value value -> value"),
            ("int reader_move_to_element(reader *r)", "object -> value"),
            ("int reader_move_to_attribute(reader *r, const char *name)", "object text -> value"),
            // The whole, or something else.
            ("void reader_clear(reader *r)", "? -> void"),
            ("void reader_clear_all(reader *r, int flags)", "? value -> void"),
            ("void reader_clear_and_free(reader *r, int flags)", "? value -> void"),
            ("void pool_clear_reader(reader *r, int flags)", "? value -> void"),
            ("int reader_move(reader *r, int place)", "? value -> value"),
            ("int pool_move_to_front(reader *r)", "? -> value"),
            ("int reader_move_to_pool(reader *r, pool *p)", "? ? -> value"),
            ("int reader_send_reply(reader *r, int code)", "? value -> value"),
            ("int reader_take_part(reader *r, int code)", "? value -> value"),
        ],
    );
}

#[test]
fn what_was_inserted_is_asked_and_not_inserted() {
    check(
        &["void db_free(db *d)", "db *db_new(void)"],
        &[
            ("long db_last_insert_rowid(db *d)", "object -> value"),
            ("long db_insert(db *d)", "? -> value"),
            ("long db_insert_last(db *d)", "? -> value"),
        ],
    );
}
