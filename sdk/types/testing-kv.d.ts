/** A key-value store that lasts as long as a test. */
export declare class MemoryKV {
    #private;
    clear(): void;
    /** Answers as the server does: `ok`, or `error` with a status. */
    answer(q: any): object;
}
