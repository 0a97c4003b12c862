package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/execution"
)

func TestChunksComeBack(t *testing.T) {
	t.Parallel()
	line := rapid.Custom(func(r *rapid.T) engine.LogLine {
		return engine.LogLine{
			Time:    time.UnixMilli(rapid.Int64Range(-1<<40, 1<<45).Draw(r, "time")).UTC(),
			Level:   chunkLevels[rapid.IntRange(0, len(chunkLevels)-1).Draw(r, "level")],
			Message: string(rapid.SliceOf(rapid.Byte()).Draw(r, "message")),
		}
	})
	rapid.Check(t, func(r *rapid.T) {
		lines := rapid.SliceOfN(line, 1, 20).Draw(r, "lines")
		c, err := encodeChunk(&execution.LogChunk{First: 7, Lines: lines})
		if err != nil {
			r.Fatal(err)
		}
		got, err := decodeChunk(c.data, c.lines)
		if err != nil || c.first != 7 {
			r.Fatalf("decoded with %v, from line %d", err, c.first)
		}
		if d := cmp.Diff(lines, got); d != "" {
			r.Fatalf("lines (-want +got):\n%s", d)
		}
		for cut := range c.data {
			if _, err := decodeChunk(c.data[:cut], c.lines); err == nil {
				r.Fatalf("the first %d of %d bytes were read as a whole chunk", cut, len(c.data))
			}
		}
		if _, err := decodeChunk(append(c.data, 0), c.lines); err == nil {
			r.Fatal("a chunk with a byte too many was read")
		}
	})
}

func TestUnknownLevelBecomesLog(t *testing.T) {
	t.Parallel()
	c, err := encodeChunk(&execution.LogChunk{First: 1, Lines: []engine.LogLine{{Level: "trace"}}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeChunk(c.data, 1)
	if err != nil || got[0].Level != engine.LevelLog {
		t.Errorf("got %v, %v, want the level log", got, err)
	}
}

func FuzzDecodeChunk(f *testing.F) {
	c, err := encodeChunk(&execution.LogChunk{First: 1, Lines: []engine.LogLine{{Level: engine.LevelInfo, Message: "hello"}, {Level: engine.LevelLog}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(c.data, 2)
	f.Add([]byte{chunkVersion, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 1)
	f.Add([]byte{chunkVersion}, -1)
	f.Fuzz(func(t *testing.T, data []byte, lines int) {
		got, err := decodeChunk(data, lines)
		if err == nil && len(got) != lines {
			t.Errorf("%d lines were read, want %d", len(got), lines)
		}
	})
}
