package rt

// Present is the same data; none where they are nil, which would be NULL.
func Present[T any](data []T) []T {
	if data == nil {
		return []T{}
	}
	return data
}

// PutOptTextsBytes is as PutTextsBytes; nil is NULL.
func (c *Call) PutOptTextsBytes(offset int, name string, texts [][]byte) {
	if texts == nil {
		c.PutNull(offset)
		return
	}
	c.PutTextsBytes(offset, name, texts)
}

// TextsBytes is the texts of an array, of no known encoding. Any of them may be NULL, which is nil; NULL itself is an error.
func (r *reader) TextsBytes(offset int) [][]byte { return textsBytes(r.Texts(offset, raw)) }

// OptTextsBytes is as TextsBytes; NULL is nil.
func (r *reader) OptTextsBytes(offset int) [][]byte { return textsBytes(r.OptTexts(offset, raw)) }

// EndedTextsBytes is the texts of an array that a NULL ends, of no known encoding; NULL itself is an error.
func (r *reader) EndedTextsBytes(offset int) [][]byte { return endedBytes(r.EndedTexts(offset, raw)) }

// OptEndedTextsBytes is as EndedTextsBytes; NULL is nil.
func (r *reader) OptEndedTextsBytes(offset int) [][]byte {
	return endedBytes(r.OptEndedTexts(offset, raw))
}

// EndedTexts is the texts that a field refers to, which a NULL ends; NULL itself is none.
func (i *Image) EndedTexts(r Reader, offset int, encoding Encoding) []string {
	return r.data().ended(i.Texts(r, offset, encoding))
}

// TextsBytes is as Texts, of no known encoding; a NULL is nil.
func (i *Image) TextsBytes(r Reader, offset int) [][]byte { return textsBytes(i.Texts(r, offset, raw)) }

// EndedTextsBytes is as EndedTexts, of no known encoding.
func (i *Image) EndedTextsBytes(r Reader, offset int) [][]byte {
	return endedBytes(i.EndedTexts(r, offset, raw))
}

func textsBytes(texts []*string) [][]byte {
	if texts == nil {
		return nil
	}
	all := make([][]byte, len(texts))
	for index, text := range texts {
		if text != nil {
			all[index] = []byte(*text)
		}
	}
	return all
}

func endedBytes(texts []string) [][]byte {
	if texts == nil {
		return nil
	}
	all := make([][]byte, len(texts))
	for index, text := range texts {
		all[index] = []byte(text)
	}
	return all
}

// FillElements is as [Invocation.Fill], of numbers.
func FillElements[T Element](in *Invocation, elements []T) { in.Fill(bytesOf(elements)) }

// Append is what a call filled behind the first start elements of what was there before. Room is how many there was room for
// when the call was made; where it began is what an earlier reply said, which is worth no more than this one.
func Append[T Element](r *Reply, before, filled []T, start, room int) []T {
	if len(filled) == 0 || r.call.err != nil {
		return before
	}
	if start < 0 || len(filled) > room-start {
		r.call.lie("the library claims to have filled more memory than there was")
		return before
	}
	if start > len(before) {
		// What is missing in front is made here, and counts as what is copied does.
		missing := make([]T, start-len(before))
		r.copied += uint64(len(bytesOf(missing)))
		before = append(before, missing...)
	}
	return append(before[:start:start], filled...)
}
