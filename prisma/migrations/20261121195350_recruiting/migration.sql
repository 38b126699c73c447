-- CreateTable
CREATE TABLE "recruitment" (
    "instance_id" TEXT NOT NULL,
    "room" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "settings" JSONB NOT NULL DEFAULT '{}',
    "updated_by_name" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "recruitment_pkey" PRIMARY KEY ("instance_id","room")
);

-- CreateTable
CREATE TABLE "preflight" (
    "id" TEXT NOT NULL,
    "instance_id" TEXT NOT NULL,
    "room" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "commit" TEXT,
    "findings" JSONB NOT NULL,
    "looked_at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "by_name" TEXT NOT NULL,

    CONSTRAINT "preflight_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "requester_key" (
    "user_id" TEXT NOT NULL,
    "access_key_id" TEXT NOT NULL,
    "secret_access_key" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "requester_key_pkey" PRIMARY KEY ("user_id")
);

-- CreateIndex
CREATE INDEX "preflight_instance_id_looked_at_idx" ON "preflight"("instance_id", "looked_at");

-- AddForeignKey
ALTER TABLE "recruitment" ADD CONSTRAINT "recruitment_instance_id_fkey" FOREIGN KEY ("instance_id") REFERENCES "instance"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "preflight" ADD CONSTRAINT "preflight_instance_id_fkey" FOREIGN KEY ("instance_id") REFERENCES "instance"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "requester_key" ADD CONSTRAINT "requester_key_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user"("id") ON DELETE CASCADE ON UPDATE CASCADE;
