/** What `Secret` needs of a schema; `z.object({ … })` of zod has it. */
export interface SecretSchema<Value> {
    readonly shape: Record<string, any>;
    parse(value: unknown): Value;
}
/**
 * A secret of the namespace, under a provider and a name, with the fields that
 * the schema has. A deployment is refused when it is missing; what it holds is
 * taken out of logs, errors and results.
 */
export declare class Secret<Value = any> {
    #private;
    readonly triggers: {};
    readonly actions: {};
    constructor(provider: string, schema: SecretSchema<Value>, name?: string);
    /** The fields, checked by the schema. Only handlers get them. */
    value(): Value;
}
