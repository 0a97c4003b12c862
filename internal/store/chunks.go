package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/execution"
)

// A stored chunk of log lines is a version byte and, for each line, its time as
// a difference in milliseconds to the line before (zigzag varint; the first
// line's is from 1970), its level as one byte, the length of its message
// (varint) and the message.
const chunkVersion = 1

// chunkLevels gives each level its byte; the order never changes.
var chunkLevels = [...]engine.Level{
	engine.LevelDebug, engine.LevelInfo, engine.LevelWarn, engine.LevelError, engine.LevelLog,
}

// encodedChunk is a part of a log ready to be stored.
type encodedChunk struct {
	first, lines int
	data         []byte
}

// encodeChunk returns nil for a chunk without lines.
func encodeChunk(c *execution.LogChunk) (*encodedChunk, error) {
	if c == nil || len(c.Lines) == 0 {
		return nil, nil
	}
	if c.First < 1 {
		return nil, fmt.Errorf("log lines begin at number %d; the first line is 1", c.First)
	}
	size := 1
	for _, l := range c.Lines {
		size += len(l.Message) + 2*binary.MaxVarintLen32
	}
	data := append(make([]byte, 0, size), chunkVersion)
	last := int64(0)
	for _, l := range c.Lines {
		at := l.Time.UnixMilli()
		data = binary.AppendVarint(data, at-last)
		last = at
		level := slices.Index(chunkLevels[:], l.Level)
		if level < 0 {
			level = slices.Index(chunkLevels[:], engine.LevelLog)
		}
		data = append(data, byte(level))
		data = binary.AppendUvarint(data, uint64(len(l.Message)))
		data = append(data, l.Message...)
	}
	return &encodedChunk{first: c.First, lines: len(c.Lines), data: data}, nil
}

var errChunk = errors.New("a stored part of a log can't be read")

// decodeChunk returns the lines of a stored chunk.
func decodeChunk(data []byte, lines int) ([]engine.LogLine, error) {
	if len(data) == 0 || data[0] != chunkVersion || lines < 0 || lines > len(data) {
		return nil, errChunk
	}
	data = data[1:]
	decoded := make([]engine.LogLine, 0, lines)
	at := int64(0)
	for range lines {
		step, n := binary.Varint(data)
		if n <= 0 || len(data) == n || int(data[n]) >= len(chunkLevels) {
			return nil, errChunk
		}
		level := chunkLevels[data[n]]
		data = data[n+1:]
		size, n := binary.Uvarint(data)
		if n <= 0 || size > uint64(len(data)-n) {
			return nil, errChunk
		}
		at += step
		decoded = append(decoded, engine.LogLine{
			Time: time.UnixMilli(at).UTC(), Level: level, Message: string(data[n : n+int(size)]),
		})
		data = data[n+int(size):]
	}
	if len(data) != 0 {
		return nil, errChunk
	}
	return decoded, nil
}
