package envfile

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// WithMark is what Decoded calls UTF-8 that begins with a byte order mark.
const WithMark = "UTF-8 with a byte order mark"

// Decoded is a text as UTF-8 without a byte order mark, and what it was encoded in; ""
// where it is that already, or nothing is sure.
func Decoded(data []byte) (utf []byte, from string) {
	order, mark := binary.ByteOrder(binary.LittleEndian), 0
	switch {
	case bytes.HasPrefix(data, utf8BOM):
		if utf, from = Decoded(data[len(utf8BOM):]); from == "" && utf8.Valid(utf) {
			from = WithMark
		}
		return utf, from
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		mark = 2
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		order, mark = binary.BigEndian, 2
	case len(data) > 3 && bytes.Count(data, []byte{0}) > len(data)/3:
		if data[0] != 0 && data[1] != 0 {
			return appended(data)
		}
		if data[0] == 0 {
			order = binary.BigEndian
		}
	case bytes.IndexByte(data, 0) < 0 && utf8.Valid(data):
		return data, ""
	case bytes.IndexByte(data, 0) >= 0:
		return appended(data)
	default:
		return fromLatin1(data), "Latin-1"
	}
	data = data[mark:]
	if len(data)%2 != 0 {
		return data, ""
	}
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	text := string(utf16.Decode(units))
	if strings.ContainsRune(text, utf8.RuneError) || strings.ContainsRune(text, 0) {
		return data, ""
	}
	return []byte(text), "UTF-16"
}

// Appended is what a text that is UTF-16 from somewhere on is called.
const Appended = "UTF-8 with UTF-16 behind it"

// appended reads a text in UTF-8 to which UTF-16 was appended, as PowerShell's >> does.
func appended(data []byte) (utf []byte, from string) {
	at := bytes.IndexByte(data, 0) - 1 // the first letter behind it
	if at <= 0 || !utf8.Valid(data[:at]) || bytes.Count(data[at:], []byte{0}) <= len(data[at:])/3 {
		return data, ""
	}
	rest, kind := Decoded(append([]byte{0xff, 0xfe}, data[at:]...))
	if kind == "" {
		return data, ""
	}
	return append(bytes.Clone(data[:at]), rest...), Appended
}

// fromLatin1 reads each byte that is no part of UTF-8 as the character of that number, as
// an editor of Latin-1 wrote it. Windows-1252 differs from it in signs that no name and
// no key has.
func fromLatin1(data []byte) []byte {
	var out []byte
	for len(data) > 0 {
		r, n := utf8.DecodeRune(data)
		if r == utf8.RuneError && n == 1 {
			out = utf8.AppendRune(out, rune(data[0]))
		} else {
			out = append(out, data[:n]...)
		}
		data = data[n:]
	}
	return out
}
