-- CreateEnum
CREATE TYPE "LinkPurpose" AS ENUM ('invitation', 'password_reset');

-- CreateEnum
CREATE TYPE "ShareLevel" AS ENUM ('operate', 'view');

-- CreateEnum
CREATE TYPE "DeploymentSource" AS ENUM ('push', 'upload', 'sample');

-- AlterTable
ALTER TABLE "user" ADD COLUMN     "course_id" TEXT,
ADD COLUMN     "last_seen_at" TIMESTAMPTZ,
ALTER COLUMN "password_hash" DROP NOT NULL;

-- AlterTable
ALTER TABLE "instance" ADD COLUMN     "course_id" TEXT,
ADD COLUMN     "disk_mib" INTEGER,
ADD COLUMN     "last_activity_at" TIMESTAMPTZ,
ADD COLUMN     "last_traceback" JSONB,
ADD COLUMN     "memory_mib" INTEGER,
ADD COLUMN     "notes" TEXT NOT NULL DEFAULT '',
ADD COLUMN     "resets_on_drift" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "deployment" ADD COLUMN     "project" JSONB,
ADD COLUMN     "source" "DeploymentSource" NOT NULL DEFAULT 'push',
ADD COLUMN     "warnings" JSONB NOT NULL DEFAULT '[]';

-- AlterTable
ALTER TABLE "job" ADD COLUMN     "cancelled_at" TIMESTAMPTZ,
ADD COLUMN     "cancelled_by_name" TEXT;

-- AlterTable
ALTER TABLE "backup" ADD COLUMN     "commit" TEXT,
ADD COLUMN     "created_by_name" TEXT NOT NULL DEFAULT 'Arboretum',
ADD COLUMN     "note" TEXT NOT NULL DEFAULT '';

-- CreateTable
CREATE TABLE "course" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "created_by_id" TEXT,
    "created_by_name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "course_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "one_time_link" (
    "token_hash" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "purpose" "LinkPurpose" NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ NOT NULL,

    CONSTRAINT "one_time_link_pkey" PRIMARY KEY ("token_hash")
);

-- CreateTable
CREATE TABLE "instance_share" (
    "instance_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "level" "ShareLevel" NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "instance_share_pkey" PRIMARY KEY ("instance_id","user_id")
);

-- CreateTable
CREATE TABLE "environment_variable" (
    "instance_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "updated_by_name" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "environment_variable_pkey" PRIMARY KEY ("instance_id","name")
);

-- CreateTable
CREATE TABLE "panel_room" (
    "instance_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "display_name" TEXT NOT NULL,
    "labels" JSONB,
    "uses_secure_urls" BOOLEAN NOT NULL DEFAULT false,
    "updated_by_name" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "panel_room_pkey" PRIMARY KEY ("instance_id","name")
);

-- CreateIndex
CREATE INDEX "one_time_link_user_id_idx" ON "one_time_link"("user_id");

-- CreateIndex
CREATE INDEX "instance_share_user_id_idx" ON "instance_share"("user_id");

-- AddForeignKey
ALTER TABLE "user" ADD CONSTRAINT "user_course_id_fkey" FOREIGN KEY ("course_id") REFERENCES "course"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "one_time_link" ADD CONSTRAINT "one_time_link_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "instance" ADD CONSTRAINT "instance_course_id_fkey" FOREIGN KEY ("course_id") REFERENCES "course"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "instance_share" ADD CONSTRAINT "instance_share_instance_id_fkey" FOREIGN KEY ("instance_id") REFERENCES "instance"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "instance_share" ADD CONSTRAINT "instance_share_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "environment_variable" ADD CONSTRAINT "environment_variable_instance_id_fkey" FOREIGN KEY ("instance_id") REFERENCES "instance"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "panel_room" ADD CONSTRAINT "panel_room_instance_id_fkey" FOREIGN KEY ("instance_id") REFERENCES "instance"("id") ON DELETE CASCADE ON UPDATE CASCADE;
