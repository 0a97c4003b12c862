-- +goose Up

-- What the code of the active deployments names, one row for each workflow. Names
-- that are longer than a secret's are left out.
CREATE TABLE provider_uses (
    namespace_id BLOB NOT NULL REFERENCES namespaces (id),
    provider     TEXT NOT NULL CHECK (length(provider) <= 255),
    alias        TEXT NOT NULL CHECK (length(alias) <= 255),
    workflow_id  BLOB NOT NULL REFERENCES workflows (id),
    PRIMARY KEY (namespace_id, provider, alias, workflow_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX provider_uses_workflow ON provider_uses (workflow_id);

INSERT INTO provider_uses (namespace_id, provider, alias, workflow_id)
SELECT DISTINCT w.namespace_id, p.value ->> 'type', p.value ->> 'alias', w.id
FROM workflows w JOIN deployments d ON d.id = w.active_deployment_id JOIN json_each(d.providers) p
WHERE w.deleted_at IS NULL AND length(CAST(p.value ->> 'type' AS BLOB)) <= 255 AND length(CAST(p.value ->> 'alias' AS BLOB)) <= 255;
