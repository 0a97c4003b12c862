-- +goose Up

-- What the code of the active deployments names, one row for each workflow. Names
-- that are longer than a secret's are left out.
CREATE TABLE provider_uses (
    namespace_id uuid NOT NULL REFERENCES namespaces (id),
    provider     text NOT NULL CHECK (length(provider) <= 255),
    alias        text NOT NULL CHECK (length(alias) <= 255),
    workflow_id  uuid NOT NULL REFERENCES workflows (id),
    PRIMARY KEY (namespace_id, provider, alias, workflow_id)
);

CREATE INDEX provider_uses_workflow ON provider_uses (workflow_id);

INSERT INTO provider_uses (namespace_id, provider, alias, workflow_id)
SELECT DISTINCT w.namespace_id, p.value ->> 'type', p.value ->> 'alias', w.id
FROM workflows w JOIN deployments d ON d.id = w.active_deployment_id AND d.providers NOT LIKE '%\\u0000%'
    CROSS JOIN LATERAL json_array_elements(CAST(d.providers AS json)) AS p (value)
WHERE w.deleted_at IS NULL AND octet_length(p.value ->> 'type') <= 255 AND octet_length(p.value ->> 'alias') <= 255;
