package rt

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// Encoding is how texts lie in the memory of the library.
type Encoding uint8

// Encodings.
const (
	UTF8 Encoding = iota
	UTF16
	UTF32
	Latin1
	// raw is no known encoding.
	raw
)

// String is its name.
func (e Encoding) String() string {
	return [...]string{"UTF-8", "UTF-16", "UTF-32", "Latin-1", "text"}[e]
}

// unit is how many bytes a unit has.
func (e Encoding) unit() int { return [...]int{1, 2, 4, 1, 1}[e] }

// encode converts a text; or says at which byte a character is that the encoding has not.
func (e Encoding) encode(text string) (data []byte, wrong int) {
	if at := invalid(text); at >= 0 {
		return nil, at
	}
	data = make([]byte, 0, len(text)*e.unit())
	for at, letter := range text {
		switch {
		case e == UTF32:
			data = binary.NativeEndian.AppendUint32(data, uint32(letter))
		case e == Latin1 && letter > 0xFF:
			return nil, at
		case e == Latin1:
			data = append(data, byte(letter))
		case e == UTF16:
			for _, unit := range utf16.AppendRune(nil, letter) {
				data = binary.NativeEndian.AppendUint16(data, unit)
			}
		default:
			data = utf8.AppendRune(data, letter)
		}
	}
	return data, -1
}

// decode converts a text of the library; or says at which byte it is none in this encoding.
func (e Encoding) decode(data []byte) (text string, wrong int) {
	switch e {
	case UTF16:
		return decodeUTF16(data)
	case UTF32:
		return decodeUTF32(data)
	case Latin1:
		letters := make([]rune, len(data))
		for at, letter := range data {
			letters[at] = rune(letter)
		}
		return string(letters), -1
	}
	text = string(data)
	return text, invalid(text)
}

// invalid is the byte at which a text is no UTF-8, or -1.
func invalid(text string) int {
	if utf8.ValidString(text) {
		return -1
	}
	for at := 0; at < len(text); {
		letter, size := utf8.DecodeRuneInString(text[at:])
		if letter == utf8.RuneError && size <= 1 {
			return at
		}
		at += size
	}
	return -1
}

func decodeUTF16(data []byte) (text string, wrong int) {
	var letters []rune
	at := 0
	for ; at+2 <= len(data); at += 2 {
		letter := rune(binary.NativeEndian.Uint16(data[at:]))
		if utf16.IsSurrogate(letter) {
			if at+4 > len(data) {
				return "", at
			}
			letter = utf16.DecodeRune(letter, rune(binary.NativeEndian.Uint16(data[at+2:])))
			if letter == utf8.RuneError {
				return "", at
			}
			at += 2
		}
		letters = append(letters, letter)
	}
	if at != len(data) {
		return "", at
	}
	return string(letters), -1
}

func decodeUTF32(data []byte) (text string, wrong int) {
	letters := make([]rune, 0, len(data)/4)
	for at := 0; at < len(data); at += 4 {
		if at+4 > len(data) {
			return "", at
		}
		letter := binary.NativeEndian.Uint32(data[at:])
		if letter > utf8.MaxRune || !utf8.ValidRune(rune(letter)) {
			return "", at
		}
		letters = append(letters, rune(letter))
	}
	return string(letters), -1
}
