package bundle

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/usefloww/flowwd/sdk"
)

// completeMap names the author's files as the author does, and adds the
// contents of all files to a source map.
func completeMap(sourceMap []byte, files Files) ([]byte, error) {
	var parts struct {
		Version  int             `json:"version"`
		Names    json.RawMessage `json:"names"`
		Sources  []string        `json:"sources"`
		Mappings json.RawMessage `json:"mappings"`
		// Behind the others: who looks up a place need not read it.
		SourcesContent []string `json:"sourcesContent"`
	}
	if err := json.Unmarshal(sourceMap, &parts); err != nil {
		return nil, fmt.Errorf("read the source map: %w", err)
	}
	parts.SourcesContent = make([]string, len(parts.Sources))
	for i, source := range parts.Sources {
		if name, ok := strings.CutPrefix(source, userSpace+":"); ok {
			parts.Sources[i] = name
			parts.SourcesContent[i], _ = files.Read(name)
		} else if name, ok := strings.CutPrefix(source, sdkSpace+":"); ok {
			parts.SourcesContent[i], _ = sdk.Source(name)
		}
	}
	complete, err := json.Marshal(parts)
	if err != nil {
		return nil, fmt.Errorf("write the source map: %w", err)
	}
	return complete, nil
}
