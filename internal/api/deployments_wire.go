package api

import (
	"encoding/json"
	"strings"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

const (
	deploymentsPath = "/api/workflow-deployments"
	// deploymentsAlias is the spelling of older clients, which compare the
	// status with lower-case words.
	deploymentsAlias = "/api/workflow_deployments"
)

type deploymentBody struct {
	ID               id.ID           `json:"id"`
	WorkflowID       id.ID           `json:"workflowId"`
	RuntimeID        *id.ID          `json:"runtimeId" nullable:"true" doc:"Null for the default runtime"`
	DeployedByID     *id.ID          `json:"deployedById" nullable:"true"`
	Status           string          `json:"status" doc:"ACTIVE, INACTIVE or FAILED; in lower case under /api/workflow_deployments"`
	DeployedAt       timestamp       `json:"deployedAt"`
	Note             *string         `json:"note"`
	SDKVersion       *string         `json:"sdkVersion"`
	ProviderMappings json.RawMessage `json:"providerMappings"`
	UserCode         *userCode       `json:"userCode,omitempty" doc:"Shown with a single deployment, and in lists with the active one"`
	Webhooks         *[]webhookBody  `json:"webhooks,omitempty" doc:"Shown with a single active deployment"`
}

type userCode struct {
	Files      map[string]string `json:"files" doc:"Texts by relative path"`
	Entrypoint string            `json:"entrypoint" doc:"The path of the file that is run"`
}

type webhookBody struct {
	ID            id.ID  `json:"id"`
	URL           string `json:"url"`
	Path          string `json:"path"`
	Method        string `json:"method"`
	TriggerID     id.ID  `json:"triggerId"`
	TriggerType   string `json:"triggerType"`
	ProviderType  string `json:"providerType"`
	ProviderAlias string `json:"providerAlias"`
}

type deploymentList struct {
	Results []deploymentBody `json:"results" nullable:"false"`
	Total   int              `json:"total"`
}

// showDeployment shows a deployment at an address, whose spelling decides how
// the status is written.
func showDeployment(x workflow.Deployment, pattern string) deploymentBody {
	status := strings.ToUpper(string(x.Status))
	if strings.HasPrefix(pattern, deploymentsAlias) {
		status = strings.ToLower(status)
	}
	return deploymentBody{
		ID: x.ID, WorkflowID: x.WorkflowID, RuntimeID: idOrNull(x.RuntimeID), DeployedByID: idOrNull(x.DeployedByID), Status: status,
		DeployedAt: timestamp(x.DeployedAt), Note: x.Note, SDKVersion: textOrNull(x.ClientSDKVersion),
		ProviderMappings: x.ProviderMappings,
	}
}

func showSource(s workflow.Source) *userCode {
	return &userCode{Files: s.Files, Entrypoint: s.Entrypoint}
}

func showWebhooks(publicURL string, triggers []workflow.Trigger) *[]webhookBody {
	all := []webhookBody{}
	for _, t := range triggers {
		if t.Webhook == nil {
			continue
		}
		all = append(all, webhookBody{
			ID: t.Webhook.ID, URL: publicURL + t.Webhook.Path, Path: t.Webhook.Path, Method: t.Webhook.Method,
			TriggerID: t.ID, TriggerType: t.Type, ProviderType: t.Provider.Type, ProviderAlias: t.Provider.Alias,
		})
	}
	return &all
}
