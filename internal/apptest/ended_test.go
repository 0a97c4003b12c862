package apptest_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
)

// ended is what the payloads of events about runs have in common.
type ended struct {
	ExecutionID string `json:"execution_id"`
	TriggerID   string `json:"trigger_id"`
	Status      string
	Error       string
}

// Events about runs name their trigger, and those that end without having run
// are told too.
func TestRunsAreToldToTheirEnd(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	d := s.Deploy(t, "shop", apptest.Handler(`return 1`)+`
builtin.triggers.onManual({ name: "Greet", handler: async () => 1 });`)
	byType := map[string]string{}
	for _, x := range s.JSON(t, http.StatusOK, "GET", "/api/triggers?workflowId="+d.WorkflowID, nil)["results"].([]any) {
		byType[x.(map[string]any)["triggerType"].(string)] = x.(map[string]any)["id"].(string)
	}
	_, heard := develop(t, s.Client, d.WorkflowID)
	d.Run(t, `{}`)
	for _, e := range heard.Until("workflow.execution.completed") {
		var p ended
		if err := json.Unmarshal(e.Payload, &p); err != nil || p.TriggerID != byType["onWebhook"] {
			t.Errorf("%s does not name its trigger: %s (%v)", e.Type, e.Payload, err)
		}
	}
	later := s.JSON(t, http.StatusOK, "POST", "/api/triggers/"+byType["onManual"]+"/invoke", map[string]any{"runAt": time.Now().Add(time.Hour)})["executionId"]
	s.JSON(t, http.StatusOK, "DELETE", "/api/workflows/"+d.WorkflowID, nil)
	events := heard.Until("workflow.execution.cancelled")
	var p ended
	last := events[len(events)-1]
	if err := json.Unmarshal(last.Payload, &p); err != nil || p.ExecutionID != later || p.TriggerID != byType["onManual"] || p.Error != "The workflow was deleted" {
		t.Errorf("the end of what waited is told as %s (%v)", last.Raw, err)
	}
}
