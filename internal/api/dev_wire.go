package api

import (
	"encoding/json"

	"github.com/usefloww/flowwd/internal/dev"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

type syncDev struct {
	Body struct {
		WorkflowID       string          `json:"workflowId"`
		Triggers         []devTrigger    `json:"triggers" nullable:"false" doc:"What the code on the developer's machine declares"`
		ProviderMappings json.RawMessage `json:"providerMappings,omitempty" doc:"Taken and not needed: triggers name providers by type and alias"`
		Mirror           bool            `json:"mirror,omitempty" doc:"Has the deployed code run the events too"`
	}
}

// devTrigger is a declared trigger; those without a provider, which only the
// command line itself fires, are left alone.
type devTrigger struct {
	ProviderType  optional[string] `json:"providerType,omitempty"`
	ProviderAlias optional[string] `json:"providerAlias,omitempty"`
	TriggerType   optional[string] `json:"triggerType,omitempty"`
	Input         json.RawMessage  `json:"input,omitempty"`
}

// declarations are the triggers of a request as the code declares them.
func declarations(triggers []devTrigger) ([]workflow.Declaration, error) {
	var declared []workflow.Declaration
	equals := map[string]int{}
	for _, t := range triggers {
		text := func(o optional[string]) string {
			if o.Value == nil {
				return ""
			}
			return *o.Value
		}
		d := workflow.Declaration{
			Provider: workflow.ProviderRef{Type: text(t.ProviderType), Alias: text(t.ProviderAlias)}, Type: text(t.TriggerType), Input: t.Input,
		}
		if d.Provider.Type == "" || d.Provider.Alias == "" {
			continue
		}
		identity, err := d.Identity()
		if err != nil {
			return nil, invalid("body.triggers", "an input is no JSON value")
		}
		d.Ordinal = equals[identity]
		equals[identity]++
		declared = append(declared, d)
	}
	return declared, nil
}

type devSessionBody struct {
	ID          id.ID     `json:"id"`
	WorkflowID  id.ID     `json:"workflowId"`
	DeveloperID id.ID     `json:"developerId" doc:"A user or a service account"`
	Connected   bool      `json:"connected" doc:"It takes events while its developer is subscribed to the workflow's channel"`
	Mirror      bool      `json:"mirror" doc:"The deployed code runs the events too"`
	CreatedAt   timestamp `json:"createdAt"`
	ExpiresAt   timestamp `json:"expiresAt" doc:"When it ends unless its developer is connected; it is renewed until endsAt"`
	EndsAt      timestamp `json:"endsAt" doc:"When it ends in any case, unless triggers are synced again"`
}

type syncedDev struct {
	// Webhooks is what command lines print.
	Webhooks *[]webhookBody `json:"webhooks" doc:"Where the declared webhooks are called, those of the deployment and those of this session"`
	Session  devSessionBody `json:"session"`
}

type listDev struct {
	WorkflowID string `query:"workflowId" required:"true" doc:"The workflow whose sessions are listed"`
}

type devList struct {
	Results []devSessionBody `json:"results" nullable:"false"`
}

func showDevSession(x dev.Session, connected bool) devSessionBody {
	return devSessionBody{
		ID: x.ID, WorkflowID: x.WorkflowID, DeveloperID: x.DeveloperID, Connected: connected, Mirror: x.Mirror,
		CreatedAt: timestamp(x.CreatedAt), ExpiresAt: timestamp(x.ExpiresAt), EndsAt: timestamp(x.EndsAt),
	}
}
