-- AlterTable
ALTER TABLE "instance" ADD COLUMN     "address_mode" TEXT NOT NULL DEFAULT 'subdomain',
ADD COLUMN     "host_name" TEXT;

-- CreateTable
CREATE TABLE "former_address" (
    "id" TEXT NOT NULL,
    "instance_id" TEXT NOT NULL,
    "mode" TEXT NOT NULL,
    "port" INTEGER,
    "host_name" TEXT,
    "created_at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "former_address_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "certificate" (
    "host_name" TEXT NOT NULL,
    "chain" TEXT,
    "private_key" TEXT,
    "expires_at" TIMESTAMPTZ,
    "failure" JSONB,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "next_try_at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "certificate_pkey" PRIMARY KEY ("host_name")
);

-- CreateIndex
CREATE UNIQUE INDEX "former_address_port_key" ON "former_address"("port");

-- CreateIndex
CREATE UNIQUE INDEX "former_address_host_name_key" ON "former_address"("host_name");

-- CreateIndex
CREATE INDEX "former_address_instance_id_idx" ON "former_address"("instance_id");

-- CreateIndex
CREATE UNIQUE INDEX "instance_host_name_key" ON "instance"("host_name");

-- AddForeignKey
ALTER TABLE "former_address" ADD CONSTRAINT "former_address_instance_id_fkey" FOREIGN KEY ("instance_id") REFERENCES "instance"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Instances that have a port are reached by it.
UPDATE "instance" SET "address_mode" = 'port' WHERE "port" IS NOT NULL;
