import { type ProviderOptions } from "./alias";
/** A value under its key. */
export interface KVItem<T = any> {
    key: string;
    value: T;
    /** Differs for any two values that the key ever had. */
    version: number;
    created_at: string;
    updated_at: string;
}
/** What a workflow may do to a table. */
export interface KVPermission {
    workflow_id: string;
    can_read: boolean;
    can_write: boolean;
    created_at: string;
}
export interface KVSetOptions {
    /**
     * Stores the value only in the place of this version, 0 for no value; fails
     * with the status 409 otherwise.
     */
    ifVersion?: number;
}
export interface KVListOptions {
    /** Only keys that begin with this. */
    prefix?: string;
}
/** What the store refuses. */
export declare class KVError extends Error {
    /** As over HTTP: 400 for a bad name or value, 403, 404, 409. */
    readonly statusCode: number;
    readonly details?: any | undefined;
    constructor(message: string, 
    /** As over HTTP: 400 for a bad name or value, 403, 404, 409. */
    statusCode: number, details?: any | undefined);
}
/**
 * Tables of JSON values that outlive runs. A workflow may use the tables that it
 * made, and those that it was granted. Only handlers can use it.
 */
export declare class KVStore {
    #private;
    readonly triggers: {};
    readonly actions: {};
    constructor(options?: string | ProviderOptions);
    /** A table whose values have a type. */
    getTable<T = any>(name: string): KVTable<T>;
    /** The tables that this workflow may use. */
    listTables(): Promise<string[]>;
    /** The value, undefined when there is none. */
    get<T = any>(table: string, key: string): Promise<T | undefined>;
    /** The value with its version and times, undefined when there is none. */
    getItem<T = any>(table: string, key: string): Promise<KVItem<T> | undefined>;
    /** Stores a value, in a new table when there is none; JSON of up to 1 MB. */
    set<T = any>(table: string, key: string, value: T, options?: KVSetOptions): Promise<KVItem<T>>;
    /**
     * Adds to a number and gives the sum, also when many runs count at once. A key
     * without a value counts as 0.
     */
    increment(table: string, key: string, by?: number): Promise<number>;
    /** Removes a key; fails with the status 404 when there is none. */
    delete(table: string, key: string, options?: KVSetOptions): Promise<void>;
    /** All keys, in their order. */
    listKeys(table: string, options?: KVListOptions): Promise<string[]>;
    /** All keys with their values, in their order. */
    listItems<T = any>(table: string, options?: KVListOptions): Promise<KVItem<T>[]>;
    /** Which workflows may use a table. */
    listPermissions(table: string): Promise<KVPermission[]>;
    /** Lets another workflow of the namespace use a table; read it unless set. */
    grantPermission(table: string, workflowId: string, options?: {
        read?: boolean;
        write?: boolean;
    }): Promise<KVPermission>;
    revokePermission(table: string, workflowId: string): Promise<void>;
}
/** One table of a store. */
export declare class KVTable<T = any> {
    #private;
    constructor(store: KVStore, name: string);
    get(key: string): Promise<T | undefined>;
    getItem(key: string): Promise<KVItem<T> | undefined>;
    set(key: string, value: T, options?: KVSetOptions): Promise<KVItem<T>>;
    increment(key: string, by?: number): Promise<number>;
    delete(key: string, options?: KVSetOptions): Promise<void>;
    listKeys(options?: KVListOptions): Promise<string[]>;
    listItems(options?: KVListOptions): Promise<KVItem<T>[]>;
    listPermissions(): Promise<KVPermission[]>;
    grantPermission(workflowId: string, options?: {
        read?: boolean;
        write?: boolean;
    }): Promise<KVPermission>;
    revokePermission(workflowId: string): Promise<void>;
}
