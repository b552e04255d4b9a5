int after_prelude(needed_t value);
