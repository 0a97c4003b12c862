package records

import "slices"

// The groups of entities.
const (
	people   = "People and access"
	code     = "Workflows"
	runs     = "Runs"
	contents = "Data"
	inside   = "Installation"
)

// Left are the tables that are no entities, with the reason.
var Left = map[string]string{
	"audit_head":       "the end of the audit log, which flowwd audit verify compares",
	"deliveries":       "hashes of what senders call their events; what they led to are executions",
	"device_codes":     "secrets for minutes; what they lead to are command lines",
	"hourly_totals":    "sums of executions; the pages of workflows have them",
	"key_checks":       "digests of keys",
	"namespace_totals": "sums of daily totals; the page of usage has them",
	"one_time_links":   "hashes of links",
	"provider_uses":    "what deployments name; the page of providers has it",
	"refresh_tokens":   "hashes of tokens; command lines have them",
	"transfer_mark":    "what is under way with the database; the command line tells",
	"goose_db_version": "the version of the schema",
}

// All are the entities, in the order in which they are listed.
func All() []Entity { return slices.Concat(peoples(), codes(), executed(), stored(), installed()) }

func id(of string) Column { return Column{Name: "id", Kind: ID, Of: of} }

// to is a column with a key of another entity that has an index, toAlso one that
// has none.
func to(name, of string) Column     { return Column{Name: name, Kind: ID, Of: of, Indexed: true} }
func toAlso(name, of string) Column { return Column{Name: name, Kind: ID, Of: of, Detail: true} }

func text(name string) Column   { return Column{Name: name, Kind: Text} }
func found(name string) Column  { return Column{Name: name, Kind: Text, Found: true} }
func number(name string) Column { return Column{Name: name, Kind: Integer} }
func yes(name string) Column    { return Column{Name: name, Kind: Bool} }
func at(name string) Column     { return Column{Name: name, Kind: Time} }
func size(name string) Column   { return Column{Name: name, Kind: Size} }

// later shows a column on the page of a row alone.
func later(c Column) Column {
	c.Detail = true
	return c
}

func hidden(names ...string) []Column {
	all := make([]Column, len(names))
	for i, name := range names {
		all[i] = Column{Name: name, Kind: Hidden}
	}
	return all
}

func columns(shown ...Column) []Column { return shown }

func peoples() []Entity {
	return []Entity{
		{Name: "user", Title: "Users", One: "User", Group: people, Table: "users", Key: []string{"id"}, Columns: append(columns(
			id("user"), found("email"), later(found("login")), found("first_name"), found("last_name"), text("provider"), later(found("subject")), yes("is_admin"),
			at("created_at"), later(at("updated_at")), at("seen_at"), at("disabled_at"),
		), hidden("password_hash")...)},
		{Name: "organization", Title: "Organizations", One: "Organization", Group: people, Table: "organizations", Key: []string{"id"}, Columns: columns(
			id("organization"), found("display_name"), found("name"), yes("is_default"), later(text("workos_id")), at("created_at"), later(at("updated_at")), at("deleted_at"), at("disabled_at"),
		)},
		{Name: "organization-member", Title: "Members", One: "Member", Group: people, Table: "organization_members", Key: []string{"organization_id", "user_id"}, Columns: columns(
			to("organization_id", "organization"), to("user_id", "user"), text("role"), at("created_at"),
		)},
		{Name: "invitation", Title: "Invitations", One: "Invitation", Group: people, Table: "invitations", Key: []string{"id"}, Columns: append(columns(
			id("invitation"), to("organization_id", "organization"), found("email"), text("role"), toAlso("invited_by_id", "user"), later(text("external_id")),
			at("created_at"), at("expires_at"), at("accepted_at"), at("revoked_at"),
		), hidden("hash")...)},
		{Name: "service-account", Title: "Service accounts", One: "Service account", Group: people, Table: "service_accounts", Key: []string{"id"}, Columns: columns(
			id("service-account"), to("organization_id", "organization"), found("name"), text("role"), toAlso("created_by_id", "user"), at("created_at"),
		)},
		{Name: "api-key", Title: "API keys", One: "API key", Group: people, Table: "api_keys", Key: []string{"id"}, Columns: append(columns(
			id("api-key"), to("organization_id", "organization"), to("service_account_id", "service-account"), found("name"), found("prefix"),
			later(text("scope_actions")), later(text("scope_type")), later(Column{Name: "scope_id", Kind: ID, Indexed: true}), toAlso("created_by_id", "user"), toAlso("replaced_by_id", "api-key"),
			at("created_at"), at("last_used_at"), at("expires_at"), at("revoked_at"),
		), hidden("hash")...)},
		{Name: "session", Title: "Browser sessions", One: "Session", Group: people, Table: "sessions", Key: []string{"id"}, Columns: append(columns(
			id("session"), to("user_id", "user"), text("address"), text("user_agent"), at("created_at"), at("seen_at"), at("expires_at"), later(at("provider_until")), later(at("renewing_at")),
		), hidden("hash", "provider_tokens", "provider_session")...)},
		{Name: "device", Title: "Command lines", One: "Command line", Group: people, Table: "token_families", Key: []string{"id"}, Columns: columns(
			id("device"), to("user_id", "user"), found("name"), text("address"), at("created_at"), at("seen_at"), at("expires_at"),
		)},
		{Name: "access-tuple", Title: "Granted roles", One: "Granted role", Group: people, Table: "grants", Key: []string{"id"}, Columns: columns(
			id("access-tuple"), to("organization_id", "organization"), text("principal_type"), Column{Name: "principal_id", Kind: ID, Indexed: true},
			text("resource_type"), Column{Name: "resource_id", Kind: ID, Indexed: true}, text("role"), toAlso("created_by_id", "user"), at("created_at"),
		)},
	}
}

func codes() []Entity {
	return []Entity{
		{Name: "namespace", Title: "Namespaces", One: "Namespace", Group: code, Table: "namespaces", Key: []string{"id"}, Columns: columns(
			id("namespace"), to("organization_id", "organization"), at("created_at"),
		)},
		{Name: "workflow-folder", Title: "Folders", One: "Folder", Group: code, Table: "folders", Key: []string{"id"}, Columns: append(columns(
			id("workflow-folder"), to("organization_id", "organization"), later(to("namespace_id", "namespace")), to("parent_id", "workflow-folder"), found("name"),
			toAlso("created_by_id", "user"), at("created_at"), later(at("updated_at")),
		), hidden("path")...)},
		{Name: "workflow", Title: "Workflows", One: "Workflow", Group: code, Table: "workflows", Key: []string{"id"}, Columns: append(columns(
			id("workflow"), to("organization_id", "organization"), toAlso("namespace_id", "namespace"), later(to("folder_id", "workflow-folder")), found("name"), later(text("description")), yes("active"),
			toAlso("active_deployment_id", "workflow-deployment"), toAlso("created_by_id", "user"), at("created_at"), at("updated_at"), at("deleted_at"), later(number("version")),
		), hidden("name_folded")...)},
		{Name: "workflow-deployment", Title: "Deployments", One: "Deployment", Group: code, Table: "deployments", Key: []string{"id"}, Columns: columns(
			id("workflow-deployment"), toAlso("organization_id", "organization"), to("workflow_id", "workflow"), text("status"), text("entrypoint"), later(text("client_sdk_version")), found("note"),
			later(Column{Name: "source_hash", Kind: Hash}), later(Column{Name: "program_hash", Kind: Hash, Of: "program", Indexed: true}), later(to("runtime_id", "runtime")),
			later(text("providers")), later(text("triggers")), later(text("provider_mappings")), toAlso("deployed_by_id", "user"), at("deployed_at"), at("deleted_at"),
		)},
		{Name: "deployment-source", Title: "Sources", One: "Source", Group: code, Table: "deployment_sources", Key: []string{"deployment_id"}, Columns: columns(
			Column{Name: "deployment_id", Kind: ID, Of: "workflow-deployment", Indexed: true}, text("entrypoint"), size("files"),
		)},
		{Name: "program", Title: "Programs", One: "Program", Group: code, Table: "programs", Key: []string{"hash"}, Columns: columns(
			Column{Name: "hash", Kind: Hash, Of: "program"}, text("engine"), text("engine_version"), text("sdk_version"), number("bridge"), later(text("secrets")),
			size("bundle"), size("source_map"), size("bytecode"),
		)},
		{Name: "trigger", Title: "Triggers", One: "Trigger", Group: code, Table: "triggers", Key: []string{"id"}, Columns: append(columns(
			id("trigger"), to("organization_id", "organization"), to("workflow_id", "workflow"), text("provider_type"), later(text("provider_alias")), text("type"), later(text("input")),
			later(number("ordinal")), later(number("timeout_ms")), later(number("memory_bytes")), later(number("concurrency")), later(yes("fail_on_interrupt")), later(text("retry")), later(text("timezone")), later(text("respond")),
			yes("dev_only"), at("created_at"), at("deleted_at"),
		), hidden("identity")...)},
		{Name: "incoming-webhook", Title: "Webhooks", One: "Webhook", Group: code, Table: "webhooks", Key: []string{"id"}, Columns: columns(
			id("incoming-webhook"), toAlso("organization_id", "organization"), to("workflow_id", "workflow"), to("trigger_id", "trigger"), text("method"), found("path"),
		)},
		{Name: "recurring-task", Title: "Schedules", One: "Schedule", Group: code, Table: "schedules", Key: []string{"trigger_id"}, Columns: columns(
			to("trigger_id", "trigger"), toAlso("organization_id", "organization"), to("workflow_id", "workflow"), at("next_at"),
		)},
		{Name: "failure-notice", Title: "Failure notices", One: "Failure notice", Group: code, Table: "alerts", Key: []string{"workflow_id", "kind"}, Columns: append(columns(
			to("workflow_id", "workflow"), text("kind"), to("organization_id", "organization"), found("label"), number("failures"), later(at("first_at")), toAlso("execution_id", "execution-history"),
			later(Column{Name: "notice_id", Kind: ID}), later(number("notice_failures")), later(at("notice_first_at")), toAlso("notice_execution_id", "execution-history"), number("tries"),
			at("due_at"), later(at("quiet_at")), at("sent_at"), text("problem"), toAlso("created_by_id", "user"), later(at("updated_at")),
		), hidden("sealed")...)},
		{Name: "dev-session", Title: "Development sessions", One: "Development session", Group: code, Table: "dev_sessions", Key: []string{"id"}, Columns: columns(
			id("dev-session"), toAlso("organization_id", "organization"), to("workflow_id", "workflow"), to("developer_id", "user"), yes("mirror"), at("created_at"), at("expires_at"), at("ends_at"),
		)},
		{Name: "dev-trigger", Title: "Triggers in development", One: "Trigger in development", Group: code, Table: "dev_triggers", Key: []string{"session_id", "trigger_id"}, Columns: columns(
			to("session_id", "dev-session"), to("trigger_id", "trigger"), to("workflow_id", "workflow"),
		)},
	}
}

func executed() []Entity {
	return []Entity{
		{Name: "execution-history", Title: "Executions", One: "Execution", Group: runs, Table: "executions", Key: []string{"id"}, Columns: columns(
			id("execution-history"), toAlso("organization_id", "organization"), to("workflow_id", "workflow"), toAlso("trigger_id", "trigger"), toAlso("event_id", "event"),
			toAlso("deployment_id", "workflow-deployment"), later(Column{Name: "program_hash", Kind: Hash, Of: "program"}), text("state"), number("attempt"), later(number("interruptions")), later(number("retries")),
			later(yes("postponed")), toAlso("claimed_by", "node"), at("received_at"), later(at("available_at")), later(at("planned_at")), later(at("started_at")), later(at("completed_at")), number("duration_ms"),
			later(text("provider_type")), later(text("provider_alias")), later(text("trigger_type")), text("method"), text("path"), text("error"), later(text("stack")), later(size("result")),
			later(text("cancel_reason")), toAlso("replay_of_id", "execution-history"), toAlso("triggered_by_id", "user"),
		)},
		{Name: "attempt", Title: "Earlier attempts", One: "Attempt", Group: runs, Table: "attempts", Key: []string{"execution_id", "n"}, Columns: columns(
			to("execution_id", "execution-history"), number("n"), toAlso("incarnation", "node"), at("started_at"), at("ended_at"), text("outcome"), text("error"),
		)},
		{Name: "execution-log", Title: "Logs", One: "Part of a log", Group: runs, Table: "log_chunks", Key: []string{"execution_id", "attempt", "first_line"}, Columns: columns(
			to("execution_id", "execution-history"), number("attempt"), number("first_line"), number("lines"), size("data"),
		)},
		{Name: "event", Title: "Events", One: "Event", Group: runs, Table: "events", Key: []string{"id"}, Columns: append(columns(
			id("event"), toAlso("organization_id", "organization"), text("content_type"), yes("has_body"), size("body"), size("fields"),
		), hidden("body_hash")...)},
		{Name: "batch", Title: "Batches", One: "Batch", Group: runs, Table: "batches", Key: []string{"id"}, Columns: columns(
			id("batch"), to("organization_id", "organization"), to("workflow_id", "workflow"), text("action"), text("states"), toAlso("trigger_id", "trigger"), later(at("since")), later(at("until")),
			toAlso("created_by_id", "user"), found("created_by"), at("created_at"), number("total"), number("done"), number("skipped"), toAlso("reached_id", "execution-history"), at("ended_at"), later(text("problem")),
		)},
		{Name: "daily-total", Title: "Daily totals", One: "Daily total", Group: runs, Table: "daily_totals", Key: []string{"workflow_id", "day", "state"}, Columns: columns(
			to("workflow_id", "workflow"), number("day"), text("state"), toAlso("organization_id", "organization"), number("count"), number("duration_ms"), number("purged"), number("folded"),
		)},
		{Name: "queue-counter", Title: "Queue", One: "Queue", Group: runs, Table: "queue_counters", Key: []string{"organization_id"}, Columns: columns(
			to("organization_id", "organization"), number("waiting"), number("last_turn"),
		)},
	}
}

func stored() []Entity {
	return []Entity{
		{Name: "secret", Title: "Secrets", One: "Secret", Group: contents, Table: "secrets", Key: []string{"id"}, Columns: append(columns(
			id("secret"), to("organization_id", "organization"), later(to("namespace_id", "namespace")), text("provider"), found("name"), toAlso("created_by_id", "user"), at("created_at"), at("updated_at"),
		), hidden("sealed")...)},
		{Name: "key-value-table", Title: "Key-value tables", One: "Key-value table", Group: contents, Table: "kv_tables", Key: []string{"id"}, Columns: columns(
			id("key-value-table"), to("organization_id", "organization"), later(to("namespace_id", "namespace")), text("store"), found("name"), number("items"), later(number("last_version")), at("created_at"),
		)},
		{Name: "key-value-item", Title: "Key-value items", One: "Key-value item", Group: contents, Table: "kv_items", Key: []string{"table_id", "key"}, Columns: columns(
			to("table_id", "key-value-table"), found("key"), size("value"), number("version"), at("created_at"), at("updated_at"),
		)},
		{Name: "key-value-table-permission", Title: "Key-value permissions", One: "Key-value permission", Group: contents, Table: "kv_permissions", Key: []string{"table_id", "workflow_id"}, Columns: columns(
			to("table_id", "key-value-table"), to("workflow_id", "workflow"), yes("can_read"), yes("can_write"), at("created_at"),
		)},
		{Name: "runtime", Title: "Runtimes", One: "Runtime", Group: contents, Table: "runtimes", Key: []string{"id"}, Columns: columns(
			id("runtime"), to("organization_id", "organization"), found("image_hash"), later(text("digest")), text("status"), later(text("logs")), number("tries"), later(at("lease_until")),
			toAlso("created_by_id", "user"), at("created_at"), at("changed_at"),
		)},
	}
}

func installed() []Entity {
	return []Entity{
		{Name: "node", Title: "Servers", One: "Server", Group: inside, Table: "nodes", Key: []string{"incarnation"}, Columns: columns(
			Column{Name: "incarnation", Kind: ID, Of: "node"}, found("name"), at("started_at"), at("lease_until"),
		)},
		{Name: "audit-entry", Title: "Audit log", One: "Entry of the audit log", Group: inside, Table: "audit_entries", Key: []string{"seq"}, Columns: append(columns(
			number("seq"), later(Column{Name: "id", Kind: ID}), at("at"), to("organization_id", "organization"), text("actor_kind"), later(Column{Name: "actor_id", Kind: ID}), found("actor_name"), found("action"), text("outcome"),
			text("target_type"), found("target_id"), later(text("address")), later(text("request_id")), later(text("before_change")), later(text("after_change")),
		), hidden("previous", "hash")...)},
		{Name: "certificate", Title: "Certificates", One: "Certificate", Group: inside, Table: "certificates", Key: []string{"name"}, Columns: append(columns(
			found("name"), at("updated_at"),
		), hidden("sealed")...)},
	}
}
