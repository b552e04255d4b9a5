package rt

import "strings"

// PutPaddedText writes a text into an array of so many characters, which it may fill, and pad behind it. It must hold no NUL.
func (i *Image) PutPaddedText(c *Call, offset int, name, text string, length int, pad byte) {
	switch {
	case len(text) > length:
		c.invalid(name, "has %d bytes; the array holds %d", len(text), length)
	case strings.IndexByte(text, 0) >= 0:
		c.invalid(name, "has a NUL, which would end it")
	default:
		rest := i.block[offset+copy(i.block[offset:], text) : offset+length]
		for index := range rest {
			rest[index] = pad
		}
	}
}

// SpacedText is the UTF-8 text in an array of so many characters, without the spaces behind it.
func (i *Image) SpacedText(r *Reply, offset, length int) string {
	return r.decode(UTF8, i.SpacedBytes(offset, length))
}

// SpacedBytes is the bytes of the text in an array of so many characters, without the spaces behind it.
func (i *Image) SpacedBytes(offset, length int) []byte {
	text := i.BytesArray(offset, length)
	for len(text) > 0 && text[len(text)-1] == ' ' {
		text = text[:len(text)-1]
	}
	return text
}
