/**
 * A token with which others use the key-value store over HTTP on behalf of this
 * run, until its attempt is over. It opens nothing else.
 */
export declare function runToken(): Promise<string>;
