package rt

import (
	"sort"
	"strings"
)

// symbolOf is the name of a code, or empty.
func symbolOf(symbols []Symbol, code int64) string {
	at := sort.Search(len(symbols), func(at int) bool { return symbols[at].Code >= code })
	if at < len(symbols) && symbols[at].Code == code {
		return symbols[at].Name
	}
	return ""
}

// lossy is a text that should be UTF-8.
func lossy(data []byte) string { return strings.ToValidUTF8(string(data), "\uFFFD") }

// output is what a failed call gave all the same: nil for NULL.
func (r *reader) output(output Output) any {
	offset := int(output.Offset)
	switch output.Form {
	case FormNumber:
		return output.Number.number(r.block[offset:])
	case FormBool:
		return r.Bool(offset)
	case FormText:
		return r.textOrBytes(output.Encoding, r.Bytes(offset))
	case FormBytes:
		if data := r.Bytes(offset); data != nil {
			return data
		}
	case FormNumbers:
		return r.numbersOf(output.Number, offset)
	case FormBools:
		if truths := Elements[bool](r, offset); truths != nil {
			return truths
		}
	case FormTextsBytes:
		if texts := r.OptTextsBytes(offset); texts != nil {
			return texts
		}
	case FormTexts:
		var all []any
		for _, text := range r.textsAt(r.reference(offset), raw) {
			if text == nil {
				all = append(all, nil)
				continue
			}
			all = append(all, r.textOrBytes(output.Encoding, []byte(*text)))
		}
		return all
	}
	return nil
}

// textOrBytes is a text, or the bytes of what is none.
func (r *reader) textOrBytes(encoding Encoding, data []byte) any {
	if data == nil {
		return nil
	}
	if text, at := encoding.decode(data); at < 0 {
		return text
	}
	return data
}

func (r *reader) numbersOf(kind Kind, offset int) any {
	data := r.Bytes(offset)
	if data == nil || !r.whole(len(data), kind.size()) {
		return nil
	}
	var all []any
	for ; len(data) > 0; data = data[kind.size():] {
		all = append(all, kind.number(data))
	}
	return all
}
