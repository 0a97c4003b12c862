package engine

import (
	"mime"
	"strings"
	"unicode/utf8"
)

// MediaType returns the media type of a Content-Type in lower case, without its
// parameters, also where those can't be read.
func MediaType(contentType string) string {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		media, _, _ = strings.Cut(contentType, ";")
		media = strings.ToLower(strings.TrimSpace(media))
	}
	return media
}

// IsJSON reports whether a body of a media type becomes a value by being parsed
// as JSON.
func IsJSON(media string) bool {
	return media == "application/json" || media == "text/json" || strings.HasSuffix(media, "+json")
}

// BodyKind is how a body becomes a value.
type BodyKind string

// The kinds of bodies.
const (
	JSONBody      BodyKind = "json"
	FormBody      BodyKind = "form"
	MultipartBody BodyKind = "multipart"
	TextBody      BodyKind = "text"
	BytesBody     BodyKind = "bytes"
)

// KindOf says what a content type stands for. A type that can't be read is bytes.
func KindOf(contentType string) BodyKind {
	switch media := MediaType(contentType); {
	case IsJSON(media):
		return JSONBody
	case media == "application/x-www-form-urlencoded":
		return FormBody
	case media == "multipart/form-data":
		return MultipartBody
	case strings.HasPrefix(media, "text/") || media == "application/xml" || strings.HasSuffix(media, "+xml"):
		return TextBody
	default:
		return BytesBody
	}
}

// Cut shortens a text to at most n bytes, at the border of a character.
func Cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
