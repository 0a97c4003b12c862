package docker

import (
	"fmt"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
)

// logger passes on the lines of a run within its limits.
type logger struct {
	x      *exchange
	limits engine.Limits
	sink   func([]engine.LogLine)
	count  int
}

func (l *logger) add(lines []logWire) {
	out := make([]engine.LogLine, 0, len(lines))
	for _, line := range lines {
		if l.count > l.limits.LogLines {
			break
		}
		made := engine.LogLine{Time: l.x.within(line.Time), Level: levelOf(line.Level), Message: engine.Cut(line.Message, l.limits.LogLineBytes)}
		if l.count == l.limits.LogLines {
			made.Level, made.Message = engine.LevelWarn, fmt.Sprintf("the log is full: it has %d lines; what follows is dropped", l.limits.LogLines)
		}
		l.count++
		out = append(out, made)
	}
	if len(out) > 0 {
		l.sink(out)
	}
}

// within moves a time that a container can't have seen into the run.
func (x *exchange) within(ms float64) time.Time {
	now := x.e.config.Now()
	at := time.UnixMicro(int64(ms * 1000))
	if at.Before(x.began) {
		at = x.began
	} else if at.After(now) {
		at = now
	}
	return at.UTC()
}

func levelOf(level string) engine.Level {
	switch l := engine.Level(level); l {
	case engine.LevelDebug, engine.LevelInfo, engine.LevelWarn, engine.LevelError:
		return l
	}
	return engine.LevelLog
}
