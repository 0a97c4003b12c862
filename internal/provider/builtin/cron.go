package builtin

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/cron"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/provider"
	"github.com/usefloww/flowwd/internal/workflow"
)

// schedule is the one of an onCron trigger.
type schedule struct {
	*cron.Schedule
	expression string
}

func checkCron(d workflow.Declaration) (provider.Need, error) {
	var input struct {
		Expression *string `json:"expression"`
	}
	if err := decode(d, &input, "a text expression"); err != nil {
		return provider.Need{}, err
	}
	if input.Expression == nil {
		return provider.Need{}, fault.New(fault.Invalid, "%s needs an expression, such as \"0 9 * * MON-FRI\"", onCron)
	}
	place, err := timezone(d.Options.Timezone)
	if err != nil {
		return provider.Need{}, err
	}
	parsed, err := cron.Parse(*input.Expression, place)
	if err != nil {
		return provider.Need{}, fault.Because(nil, fault.Invalid, "%v", err)
	}
	return provider.Need{Schedule: schedule{parsed, *input.Expression}}, nil
}

// timezone returns the place of a name; UTC for none. Local is the server's own
// and would differ from one to the next.
func timezone(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	place, err := time.LoadLocation(name)
	if err != nil || strings.EqualFold(name, "local") {
		return nil, fault.Because(err, fault.Invalid, "%.100q is no time zone; give a name of the IANA database, such as \"Europe/Berlin\"", name)
	}
	return place, nil
}

// instant is how times stand in events.
const instant = "2006-01-02T15:04:05.000Z"

// cronFields are the members of a cron event: workflows-runtime.md 4.3.
type cronFields struct {
	ScheduledTime string `json:"scheduledTime"`
	ActualTime    string `json:"actualTime"`
	Expression    string `json:"expression"`
}

// Event implements provider.Schedule.
func (s schedule) Event(planned, actual time.Time) (json.RawMessage, error) {
	return json.Marshal(cronFields{planned.UTC().Format(instant), actual.UTC().Format(instant), s.expression})
}
