-- CreateTable
CREATE TABLE "metric_sample" (
    "instance_id" TEXT NOT NULL,
    "span_seconds" INTEGER NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    "core" REAL,
    "memory_bytes" BIGINT,
    "received" REAL,
    "sent" REAL,
    "restarts" INTEGER NOT NULL DEFAULT 0,
    "is_out_of_memory" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "metric_sample_pkey" PRIMARY KEY ("instance_id","at","span_seconds")
);

-- AddForeignKey
ALTER TABLE "metric_sample" ADD CONSTRAINT "metric_sample_instance_id_fkey" FOREIGN KEY ("instance_id") REFERENCES "instance"("id") ON DELETE CASCADE ON UPDATE CASCADE;
