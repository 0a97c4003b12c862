package api

import (
	"context"
	"net/http"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Bounds of an answer with log lines. Lines may have 64 kB, so bytes count
// too; at least one line is answered.
const (
	maxDetailLines = 1000
	maxLogBytes    = 4 << 20
	// logPage is how many lines are read from the store at a time.
	logPage = 100
)

type searchLogs struct {
	Q      string `query:"q" maxLength:"1000" doc:"Only lines that contain this text, in any case"`
	Level  string `query:"level" doc:"Only lines of this level, in any case"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Offset int    `query:"offset" minimum:"0" maximum:"1000000"`
}

type logSearch struct {
	WorkflowID id.ID     `json:"workflowId"`
	Logs       []logBody `json:"logs" nullable:"false"`
	Results    []logBody `json:"results" nullable:"false" doc:"The same as logs"`
	Limit      int       `json:"limit"`
	Offset     int       `json:"offset"`
	Complete   bool      `json:"complete" doc:"False when the search ran out of time; older lines may match too"`
}

type readLogs struct {
	After string `query:"after" doc:"Only lines after this place, <attempt>-<line>"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"1000"`
}

type logList struct {
	Results []logBody `json:"results" nullable:"false"`
	Next    *string   `json:"next" doc:"The value of after that goes on from here; null when the log has ended"`
}

func registerLogs(r *route.Router, d Deps) {
	o := executionOperations{d}
	const tag = "Executions"
	route.Operation(r, route.Spec{ // E4
		Method: http.MethodGet, Path: executionsPath + "/workflows/{id}/logs", Policy: access.Requires(access.ReadExecution),
		OperationID: "search-workflow-logs", Summary: "Search the logs of a workflow's executions, newest first", Tag: tag,
	}, d.workflow(), o.searchLogs)
	route.Operation(r, route.Spec{ // E6
		Method: http.MethodGet, Path: executionsPath + "/{id}/logs", Policy: access.Requires(access.ReadExecution),
		OperationID: "read-execution-logs", Summary: "Read an execution's log, oldest first", Tag: tag,
	}, d.execution(), o.logs)
}

func (o executionOperations) searchLogs(ctx context.Context, c route.Call[workflow.Workflow], in *searchLogs) (*logSearch, error) {
	level, err := parseLevel(in.Level)
	if err != nil {
		return nil, err
	}
	page, err := o.Executions.SearchLogs(ctx, execution.LogQuery{
		WorkflowID: c.Object.ID, Contains: in.Q, Level: level, Limit: in.Limit, Offset: in.Offset,
	})
	if err != nil {
		return nil, err
	}
	lines := showLogs(page.Entries)
	return &logSearch{
		WorkflowID: c.Object.ID, Logs: lines, Results: lines, Limit: in.Limit, Offset: in.Offset, Complete: page.Complete,
	}, nil
}

func (o executionOperations) logs(ctx context.Context, c route.Call[execution.Execution], in *readLogs) (*logList, error) {
	after, err := parseCursor("query.after", in.After)
	if err != nil {
		return nil, err
	}
	entries, more, err := o.readLog(ctx, c.Object.ID, after, in.Limit)
	if err != nil {
		return nil, err
	}
	list := &logList{Results: showLogs(entries)}
	if len(entries) > 0 {
		after = entries[len(entries)-1].Cursor
	}
	// The state was read before the lines: when it was final, they are all.
	if more || !c.Object.State.Final() {
		list.Next = textOrNull(after.String())
	}
	return list, nil
}

// readLog reads lines after a place, at most limit and at most maxLogBytes, and
// says whether more are stored.
func (o executionOperations) readLog(ctx context.Context, of id.ID, after execution.Cursor, limit int) (entries []execution.LogEntry, more bool, err error) {
	bytes := 0
	for {
		// One more than wanted tells whether the log goes on.
		want := min(logPage, limit-len(entries)+1)
		page, err := o.Executions.Logs(ctx, of, after, want)
		if err != nil {
			return nil, false, err
		}
		for _, line := range page {
			if len(entries) == limit || len(entries) > 0 && bytes+len(line.Message) > maxLogBytes {
				return entries, true, nil
			}
			entries, bytes = append(entries, line), bytes+len(line.Message)
			after = line.Cursor
		}
		if len(page) < want {
			return entries, false, nil
		}
	}
}
