/** What a handler knows about its own run. */
export interface Context {
    /** Names this run; it stays the same when the run is attempted again. */
    readonly executionId: string;
    readonly workflowId: string;
    /** Counts the attempts of this run, from 1. */
    readonly attempt: number;
}
/** Runs once for each event. What it returns is kept with the run, as JSON. */
export type Handler<Event> = (ctx: Context, event: Event) => unknown;
/** A request that arrived at a webhook. */
export interface WebhookEvent<Body = any> {
    /** In upper case, such as "POST". */
    readonly method: string;
    /** The path of the address that was called; it begins with "/webhook/". */
    readonly path: string;
    /** By lower-case name. */
    readonly headers: Record<string, string>;
    /** Of a repeated parameter, the last value. */
    readonly query: Record<string, string>;
    /** All values of each parameter. */
    readonly queryAll: Record<string, string[]>;
    /** The parameters of the path, such as `id` of "orders/:id", and of the query. */
    readonly params: Record<string, string>;
    /**
     * The body according to its content type: JSON is parsed, a form becomes an
     * object (files in it are a `File`), text a string, and anything else a
     * Uint8Array.
     */
    readonly body: Body;
    /** The bytes as they arrived; check signatures over these. */
    readonly rawBody: Uint8Array;
}
/** What happens to a run that ended through no fault of the code. */
export type OnInterrupt = "rerun" | "fail";
/** How runs of a trigger behave. Changing these keeps the trigger's address. */
export interface RunOptions {
    /** Ends an attempt after this many seconds. */
    timeout?: number;
    /** What the code may allocate, in megabytes of 1,048,576 bytes. */
    memory?: number;
    /** How many runs of this trigger may go on at the same time. */
    concurrency?: number;
    /** "rerun" unless set: the handler starts again from its beginning. */
    onInterrupt?: OnInterrupt;
    /**
     * What follows an attempt that failed: the handler threw, took too long or
     * used too much. Nothing unless set; a number is that of all attempts.
     */
    retry?: number | RetryOptions;
}
/** When a failed run is attempted again. `ctx.attempt` counts the attempts. */
export interface RetryOptions {
    /** How many attempts there may be, the first one included; up to 100. */
    attempts?: number;
    /** Another name of `attempts`. */
    maxAttempts?: number;
    /** "exponential" unless set: each wait is twice the one before. */
    backoff?: "exponential" | "fixed";
    /** The first wait, in seconds; 1 unless set. */
    delay?: number;
    /** The longest wait, in seconds; 300 or `delay` unless set. */
    maxDelay?: number;
    /** Whether up to half of each wait is left out by chance; true unless set. */
    jitter?: boolean;
}
export type WebhookMethod = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
/** The argument of `onWebhook`. */
export interface WebhookTrigger<Body = any> extends RunOptions {
    handler: Handler<WebhookEvent<Body>>;
    /**
     * The end of the address, such as "orders/:id", where `event.params.id` is
     * what stands there. One is made up when it is left out.
     */
    path?: string;
    /** "POST" unless set. */
    method?: WebhookMethod;
    /**
     * "handler" has the sender wait for what the handler returns, for at most 30
     * seconds: a `Response` is answered as it is, a string as text, and anything
     * else as JSON. Unless it is set the sender is answered at once.
     */
    respond?: "handler";
}
/** A time of a schedule that has come. */
export interface CronEvent {
    /** The time that the expression names. */
    readonly scheduledTime: Date;
    /** When the run was made: later when the server was not there in time. */
    readonly actualTime: Date;
    readonly expression: string;
}
/** The argument of `onCron`. */
export interface CronTrigger extends RunOptions {
    /**
     * Five fields (minute, hour, day of the month, month, day of the week), six
     * with seconds first, or @hourly, @daily, @weekly, @monthly, @yearly.
     */
    expression: string;
    /** The place whose clock counts, such as "Europe/Berlin"; UTC unless set. */
    timezone?: string;
    handler: Handler<CronEvent>;
}
/** A run that somebody asked for. */
export interface ManualEvent<Input = any> {
    readonly manually_triggered: true;
    /** The id of the user or service account. */
    readonly triggered_by: string;
    /** The input, which the schema allows. */
    readonly input_data: Input;
}
/** The argument of `onManual`. */
export interface ManualTrigger<Input = any> extends RunOptions {
    /** What people see. */
    name: string;
    description?: string;
    /** A JSON Schema of the input. It is checked before the run. */
    inputSchema?: object;
    /** Another name of `inputSchema`. */
    input_schema?: object;
    handler: Handler<ManualEvent<Input>>;
}
/** Runs of this workflow that failed for good. */
export interface FailureEvent {
    readonly workflowId: string;
    readonly workflowName: string;
    /** How many failed since then. */
    readonly failures: number;
    readonly since: Date;
    /** The last of them; null when it is gone already. */
    readonly execution: FailedExecution | null;
}
/** A run that failed. */
export interface FailedExecution {
    readonly id: string;
    readonly status: "failed" | "timeout";
    readonly error: string;
    readonly attempts: number;
    readonly receivedAt: Date;
    readonly endedAt: Date | null;
    readonly trigger: {
        readonly provider: string;
        readonly alias: string;
        readonly type: string;
    };
    /** Where the API shows it. */
    readonly url: string;
}
/** The argument of `onFailure`, when it is not the handler alone. */
export interface FailureTrigger extends RunOptions {
    handler: Handler<FailureEvent>;
}
