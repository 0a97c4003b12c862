package audit

// The actions. Their names are part of exports: never rename one.
const (
	LogIn             Action = "session.login"
	LogOut            Action = "session.logout"
	RevokeSession     Action = "session.revoke"
	ApproveDevice     Action = "device.approve"
	DenyDevice        Action = "device.deny"
	RevokeDevice      Action = "device.revoke"
	ReuseRefreshToken Action = "device.reuse"

	CreateUser     Action = "user.create"
	ChangeUser     Action = "user.change"
	DisableUser    Action = "user.disable"
	EnableUser     Action = "user.enable"
	MakeAdmin      Action = "user.make_admin"
	UnmakeAdmin    Action = "user.unmake_admin"
	ChangePassword Action = "user.change_password"
	LinkPassword   Action = "user.password_link"
	SignOutUser    Action = "user.sign_out"

	CreateOrganization  Action = "organization.create"
	ChangeOrganization  Action = "organization.change"
	DeleteOrganization  Action = "organization.delete"
	RestoreOrganization Action = "organization.restore"
	PurgeOrganization   Action = "organization.purge"
	DisableOrganization Action = "organization.disable"
	EnableOrganization  Action = "organization.enable"

	AddMember        Action = "member.add"
	ChangeMember     Action = "member.change"
	RemoveMember     Action = "member.remove"
	Invite           Action = "invitation.create"
	RevokeInvitation Action = "invitation.revoke"
	AcceptInvitation Action = "invitation.accept"

	CreateServiceAccount Action = "service_account.create"
	ChangeServiceAccount Action = "service_account.change"
	DeleteServiceAccount Action = "service_account.delete"
	CreateKey            Action = "api_key.create"
	RotateKey            Action = "api_key.rotate"
	RevokeKey            Action = "api_key.revoke"

	GrantAccess  Action = "access.grant"
	RevokeAccess Action = "access.revoke"
	// RefuseAccess is a request that a policy refused to somebody known.
	RefuseAccess Action = "access.refuse"

	CreateWorkflow Action = "workflow.create"
	ChangeWorkflow Action = "workflow.change"
	DeleteWorkflow Action = "workflow.delete"
	// ChangeAlerts is another set of those who are told of a workflow's failures.
	ChangeAlerts     Action = "workflow.failure_notifications"
	CreateFolder     Action = "folder.create"
	ChangeFolder     Action = "folder.change"
	DeleteFolder     Action = "folder.delete"
	Deploy           Action = "deployment.create"
	ChangeDeployment Action = "deployment.change"
	DeleteDeployment Action = "deployment.delete"

	// CancelExecution is one execution that somebody cancelled; many are a batch.
	CancelExecution Action = "execution.cancel"
	// ReleaseExecution is one that somebody had not wait for its time.
	ReleaseExecution Action = "execution.release"
	// BeginBatch is a replay or a cancel of many executions.
	BeginBatch Action = "batch.begin"
	StopBatch  Action = "batch.stop"

	CreateRuntime Action = "runtime.create"
	RemoveRuntime Action = "runtime.remove"

	CreateSecret Action = "secret.create"
	ChangeSecret Action = "secret.change"
	DeleteSecret Action = "secret.delete"

	GrantKV  Action = "kv.grant"
	RevokeKV Action = "kv.revoke"

	// BeginDev and EndDev are the time in which somebody runs a workflow's events
	// on a machine of their own.
	BeginDev Action = "dev.begin"
	EndDev   Action = "dev.end"

	OpenAdmin   Action = "admin.open"
	ExportAudit Action = "audit.export"
)
