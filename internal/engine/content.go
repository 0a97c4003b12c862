package engine

import (
	"mime"
	"strings"
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
