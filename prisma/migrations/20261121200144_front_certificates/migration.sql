-- AlterTable
ALTER TABLE "instance" ADD COLUMN     "front_certificate_until" TIMESTAMPTZ;
