package rt

import (
	"unicode/utf16"
	"unicode/utf8"

	"hotcell"
)

// TextOf is a text; the empty one for nil.
func TextOf(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// OffsetAs is how far the library came in a text that went in in another encoding, in bytes of that text as it is here; -1 where
// it gave NULL. A place in the middle of a character is an error.
func (r *Reply) OffsetAs(offset int, encoding Encoding, text string) int {
	units := func(letter rune) int {
		if encoding == UTF16 {
			return utf16.RuneLen(letter)
		}
		return 1
	}
	all := 0
	for _, letter := range text {
		all += units(letter)
	}
	left := r.Offset(offset, all)
	if left < 0 {
		return -1
	}
	for place, letter := range text {
		if left == 0 {
			return place
		}
		if left -= units(letter); left < 0 {
			place += utf8.RuneLen(letter)
			r.call.fail(hotcell.ErrBadEncoding, hotcell.ExecutedYes, nil, "the library came to the middle of a character of UTF-16, before byte %d", place)
			return 0
		}
	}
	return len(text)
}
