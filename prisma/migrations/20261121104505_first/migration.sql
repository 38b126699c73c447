-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateEnum
CREATE TYPE "Role" AS ENUM ('manager', 'experimenter');

-- CreateEnum
CREATE TYPE "Intent" AS ENUM ('run', 'stop');

-- CreateTable
CREATE TABLE "user" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "user_name" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "password_hash" TEXT NOT NULL,
    "role" "Role" NOT NULL,
    "session_epoch" INTEGER NOT NULL DEFAULT 0,
    "disabled_at" TIMESTAMPTZ,
    "created_at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "user_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "login_session" (
    "sid" TEXT NOT NULL,
    "sess" JSONB NOT NULL,
    "expire" TIMESTAMPTZ NOT NULL,

    CONSTRAINT "login_session_pkey" PRIMARY KEY ("sid")
);

-- CreateTable
CREATE TABLE "ssh_key" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "public_key" TEXT NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_used_at" TIMESTAMPTZ,

    CONSTRAINT "ssh_key_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "instance" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "owner_id" TEXT NOT NULL,
    "platform" TEXT NOT NULL,
    "intent" "Intent" NOT NULL DEFAULT 'run',
    "state" TEXT NOT NULL DEFAULT 'creating',
    "state_detail" TEXT,
    "state_since" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "observed_at" TIMESTAMPTZ,
    "memory_bytes" BIGINT,
    "web_processes" INTEGER NOT NULL DEFAULT 0,
    "restarts" INTEGER NOT NULL DEFAULT 0,
    "os_user_id" INTEGER,
    "port" INTEGER,
    "deploy_branch" TEXT,
    "auth_level" TEXT NOT NULL DEFAULT 'STUDY',
    "is_production" BOOLEAN NOT NULL DEFAULT true,
    "admin_password" TEXT NOT NULL,
    "secret_key" TEXT NOT NULL,
    "room_secret" TEXT NOT NULL,
    "rest_key" TEXT NOT NULL,
    "database_password" TEXT NOT NULL,
    "project" JSONB,
    "facts" JSONB,
    "current_deployment_id" TEXT,
    "created_at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deleted_at" TIMESTAMPTZ,

    CONSTRAINT "instance_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "deployment" (
    "id" TEXT NOT NULL,
    "instance_id" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "commit" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "author" TEXT NOT NULL,
    "branch" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'waiting',
    "requirements_hash" TEXT,
    "lock" TEXT,
    "otree_version" TEXT,
    "is_release_kept" BOOLEAN NOT NULL DEFAULT false,
    "created_by_id" TEXT,
    "created_by_name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ,

    CONSTRAINT "deployment_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "job" (
    "id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "instance_id" TEXT,
    "deployment_id" TEXT,
    "state" TEXT NOT NULL DEFAULT 'queued',
    "steps" JSONB NOT NULL DEFAULT '[]',
    "input" JSONB NOT NULL DEFAULT '{}',
    "error_code" TEXT,
    "error_details" JSONB,
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "actor_id" TEXT,
    "actor_name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ,
    "ended_at" TIMESTAMPTZ,

    CONSTRAINT "job_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "job_log" (
    "job_id" TEXT NOT NULL,
    "sequence" INTEGER NOT NULL,
    "text" TEXT NOT NULL,

    CONSTRAINT "job_log_pkey" PRIMARY KEY ("job_id","sequence")
);

-- CreateTable
CREATE TABLE "backup" (
    "id" TEXT NOT NULL,
    "instance_id" TEXT NOT NULL,
    "job_id" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "file" TEXT NOT NULL,
    "size_bytes" BIGINT NOT NULL,
    "sha256" TEXT NOT NULL,
    "row_counts" JSONB NOT NULL,
    "verified_at" TIMESTAMPTZ,
    "created_at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "backup_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "seat" (
    "instance_id" TEXT NOT NULL,
    "room" TEXT NOT NULL,
    "label" TEXT NOT NULL,
    "token_hash" TEXT,
    "opened_at" TIMESTAMPTZ,
    "ready_at" TIMESTAMPTZ,
    "forwarded_at" TIMESTAMPTZ,

    CONSTRAINT "seat_pkey" PRIMARY KEY ("instance_id","room","label")
);

-- CreateTable
CREATE TABLE "audit" (
    "id" BIGSERIAL NOT NULL,
    "at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "actor_id" TEXT,
    "actor_name" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "instance_id" TEXT,
    "subject" TEXT NOT NULL,
    "detail" JSONB NOT NULL DEFAULT '{}',

    CONSTRAINT "audit_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "setting" (
    "name" TEXT NOT NULL,
    "value" JSONB NOT NULL,

    CONSTRAINT "setting_pkey" PRIMARY KEY ("name")
);

-- CreateIndex
CREATE UNIQUE INDEX "user_user_name_key" ON "user"("user_name");

-- CreateIndex
CREATE UNIQUE INDEX "user_email_key" ON "user"("email");

-- CreateIndex
CREATE INDEX "login_session_expire_idx" ON "login_session"("expire");

-- CreateIndex
CREATE UNIQUE INDEX "ssh_key_fingerprint_key" ON "ssh_key"("fingerprint");

-- CreateIndex
CREATE INDEX "ssh_key_user_id_idx" ON "ssh_key"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "instance_os_user_id_key" ON "instance"("os_user_id");

-- CreateIndex
CREATE UNIQUE INDEX "instance_port_key" ON "instance"("port");

-- CreateIndex
CREATE INDEX "instance_owner_id_idx" ON "instance"("owner_id");

-- CreateIndex
CREATE UNIQUE INDEX "deployment_instance_id_number_key" ON "deployment"("instance_id", "number");

-- CreateIndex
CREATE INDEX "job_instance_id_created_at_idx" ON "job"("instance_id", "created_at");

-- CreateIndex
CREATE INDEX "job_state_idx" ON "job"("state");

-- CreateIndex
CREATE INDEX "backup_instance_id_created_at_idx" ON "backup"("instance_id", "created_at");

-- CreateIndex
CREATE INDEX "audit_instance_id_at_idx" ON "audit"("instance_id", "at");

-- AddForeignKey
ALTER TABLE "ssh_key" ADD CONSTRAINT "ssh_key_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "instance" ADD CONSTRAINT "instance_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "user"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "deployment" ADD CONSTRAINT "deployment_instance_id_fkey" FOREIGN KEY ("instance_id") REFERENCES "instance"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "job" ADD CONSTRAINT "job_instance_id_fkey" FOREIGN KEY ("instance_id") REFERENCES "instance"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "job" ADD CONSTRAINT "job_deployment_id_fkey" FOREIGN KEY ("deployment_id") REFERENCES "deployment"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "job_log" ADD CONSTRAINT "job_log_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "job"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "backup" ADD CONSTRAINT "backup_instance_id_fkey" FOREIGN KEY ("instance_id") REFERENCES "instance"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "seat" ADD CONSTRAINT "seat_instance_id_fkey" FOREIGN KEY ("instance_id") REFERENCES "instance"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What Prisma's schema language cannot say:
-- a name is unique among the instances that are not deleted,
CREATE UNIQUE INDEX "instance_name_live" ON "instance"("name") WHERE "deleted_at" IS NULL;

-- and an instance runs one job at a time.
CREATE UNIQUE INDEX "job_one_running" ON "job"("instance_id") WHERE "state" = 'running';
