package api

import "testing"

func TestSummary(t *testing.T) {
	t.Parallel()
	const day = `{"date":"2026-03-04","total":63,"received":1,"started":2,"completed":4,"failed":8,"timeout":16,"cancelled":32,"noDeployment":64,"no_deployment":64}`
	for _, query := range []string{"?namespace_id=#2", "?namespaceId=#2&days=365", "?namespace_id=#2&days=1"} {
		wantJSON(t, newWorld(t).ask(t, "GET", ids("/api/summary"+query), ""), 200, `{"executionsByDay":[`+day+`],"executions_by_day":[`+day+`],
			"totalExecutions":63,"total_executions":63,"totalCompleted":4,"total_completed":4,"totalFailed":8,"total_failed":8,"periodDays":1,"period_days":1}`)
	}
	for _, days := range []string{"0", "-1", "366"} {
		wantError(t, newWorld(t).ask(t, "GET", ids("/api/summary?namespace_id=#2&days="+days), ""), 400, "Days must be between 1 and 365")
	}
	wantError(t, newWorld(t).ask(t, "GET", ids("/api/summary?namespace_id=#2&days=x"), ""), 400, "query.days")
	wantError(t, newWorld(t).ask(t, "GET", "/api/summary", ""), 400, "namespaceId")
	for _, namespace := range []string{"#3", "x"} {
		wantError(t, newWorld(t).ask(t, "GET", ids("/api/summary?namespace_id="+namespace), ""), 404, "")
	}
	wantError(t, newWorld(t).ask(t, "GET", ids("/api/summary?namespace_id=#2"), "", "Authorization: Bearer stranger"), 404, "")
}
